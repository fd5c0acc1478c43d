/** Inputs for each parser: few in `npm test`, 100,000 by `npm run test:fuzz`. */
export const RUNS = Number(process.env["FUZZ_RUNS"] ?? 200);
