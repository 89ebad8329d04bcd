/** Shorter than the defaults, so that a test sees them pass. */
export const periods = { beatMs: 200, silentBeats: 4, downMs: 1_600 } as const;
