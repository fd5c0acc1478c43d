import { counted } from "#protocol/counted";
import type { Balance } from "#protocol/statement";
import { columns } from "../cli/columns";
import { command } from "../command";
import { withEnrolment } from "../home/enrol";

export const balance = command({
  schema: "troop.balance/1",
  flags: {},
  run: async (ctx): Promise<Balance> => {
    const { home, api } = await ctx.coordinator();
    return withEnrolment(home, api, (registration) => api.balance(registration.user_id));
  },
  human: renderBalance,
});

function renderBalance(data: Balance): string {
  return columns([
    ["available", counted(data.available, "credit")],
    ["held", `${counted(data.held, "credit")}, by open leases`],
    ["in escrow", `${counted(data.in_escrow, "credit")}, earned and soon available`],
    ["total", counted(data.total, "credit")],
  ]);
}
