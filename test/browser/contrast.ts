import type { Page } from "playwright-core";

/** A text of the page and how well it stands out. */
export interface Contrast {
  readonly text: string;
  readonly ratio: number;
}

/** The contrast (WCAG 2) of every visible text of the page with what is painted behind it. */
export function contrasts(page: Page): Promise<Contrast[]> {
  return page.evaluate(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
    const rgba = (color: string): number[] => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      const [r = 0, g = 0, b = 0, a = 0] = canvas.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = (top: number[], below: number[]): number[] =>
      [0, 1, 2].map((at) => top[at]! * top[3]! + below[at]! * (1 - top[3]!)).concat(1);
    const luminance = (color: number[]): number => {
      const [r = 0, g = 0, b = 0] = color.slice(0, 3).map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element: Element): number[] => {
      const layers: number[][] = [];
      for (let at: Element | null = element; at !== null; at = at.parentElement) {
        layers.push(rgba(getComputedStyle(at).backgroundColor));
      }
      const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
      return layers.reduceRight(
        (below, top) => over(top, below),
        dark ? [0, 0, 0, 1] : [255, 255, 255, 1],
      );
    };
    const found: Contrast[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const text = node.textContent!.trim();
      const element = node.parentElement!;
      if (text === "" || !element.checkVisibility() || element.closest("noscript,script") !== null)
        continue;
      const back = behind(element);
      const front = over(rgba(getComputedStyle(element).color), back);
      const [light, dim] = [luminance(front), luminance(back)].toSorted((a, b) => b - a) as [
        number,
        number,
      ];
      found.push({ text, ratio: (light + 0.05) / (dim + 0.05) });
    }
    return found;
  });
}
