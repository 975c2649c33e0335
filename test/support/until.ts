// Waits for a condition with a deadline: tests never sleep for time to pass.

const STEP_MS = 5;

/** Throws with `what` when the condition has not come true in time. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise(resolve => setTimeout(resolve, STEP_MS));
  }
}
