/** What is told a crowded server. */
export type ToCrowdedServer =
  /** It is to tell its figures. */
  | { readonly kind: "look" }
  /** It opens files until there are no more; it closes them. */
  | { readonly kind: "hoard" | "release" }
  /** It says a figure and shows pictures, of so many bytes, so often; it stops. */
  | { readonly kind: "speak"; readonly everyMs: number; readonly bytes: number }
  | { readonly kind: "hush" };

/** How it is. */
export interface ServerFigures {
  /** By reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** By code. */
  readonly closed: Readonly<Record<string, number>>;
  /** Connections among them; unknown while it hoards. */
  readonly openFiles: number | undefined;
  readonly rssMb: number;
  /** Since it was asked last. */
  readonly longestTurnMs: number;
}

/** What it tells. */
export type FromCrowdedServer =
  | { readonly kind: "ready"; readonly url: string }
  | { readonly kind: "hoarded"; readonly files: number }
  | ({ readonly kind: "figures" } & ServerFigures);
