export async function coldVerdict(): Promise<number | null> {
  return null;
}
