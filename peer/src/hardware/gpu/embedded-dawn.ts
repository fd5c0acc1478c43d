/** The path of the addon inside the executable: its build puts another module in the place of this one. */
export const EMBEDDED_DAWN: string | undefined = undefined;
