/** The lines of a terminal that are drawn over and over. The cursor is never hidden, so that nothing is left to put right. */
export interface Screen {
  columns(): number;
  /** Instead of what was drawn last. */
  draw(text: string): void;
  /** What was drawn last stays, and what comes next stands below it. */
  keep(): void;
}

/** Loaded where it is wanted: no other command needs it. */
export async function screenOn(stream: NodeJS.WriteStream): Promise<Screen> {
  const { createLogUpdate } = await import('log-update');
  const update = createLogUpdate(stream, { showCursor: true });
  return {
    columns: () => stream.columns || 80,
    draw: update,
    keep: update.done,
  };
}
