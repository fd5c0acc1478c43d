import { runVectorSuite } from "./vector-suite";

/** Answers any request with the results of the vectors on workerd. */
export default {
  async fetch(): Promise<Response> {
    return Response.json(await runVectorSuite());
  },
};
