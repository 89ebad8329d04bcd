/** The element of the page with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** A new element. Children are elements, or text that stays text. */
export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** Writes text where it is not there already: an untouched element is not painted again. */
export function write(target, text) {
  if (target.textContent !== text) target.textContent = text;
}
