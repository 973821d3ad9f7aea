/**
 * Redraws lines of a terminal. It never hides the cursor, so that a killed command leaves nothing
 * to restore.
 */
export interface Screen {
  columns(): number;
  /** Replaces what was drawn last. */
  draw(text: string): void;
  /** Keeps what was drawn last; the next text goes below it. */
  keep(): void;
}

/** Loads its library only when it is called: no other command needs it. */
export async function screenOn(stream: NodeJS.WriteStream): Promise<Screen> {
  const { createLogUpdate } = await import('log-update');
  const update = createLogUpdate(stream, { showCursor: true });
  return {
    columns: () => stream.columns || 80,
    draw: update,
    keep: update.done,
  };
}
