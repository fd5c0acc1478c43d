import {
  type Ack,
  type Balances,
  PEERS,
  PEOPLE,
  RATE,
  type Receipt,
  type Result,
  STARTER,
  type When,
} from "./ledger-world";

type Lease = { client: number; payer: number; budget: number; spent: number; isOpen: boolean };
type Tokens = Pick<Receipt, "promptTokens" | "completionTokens">;
type Settled = {
  receipt: Receipt;
  owner: number;
  amount: number;
  final: number;
  inEscrow: boolean;
};

/** The ledger as docs/protocol.md says it, in plain numbers, one movement after the other: what the database must do. */
export class LedgerModel {
  readonly accounts = [
    ...PEERS.map(() => newUser(STARTER, true)),
    ...PEOPLE.map(() => newUser(0, false)),
  ];
  /** The user of each peer, and those that were signed out. */
  readonly userOf = [...PEERS];
  readonly revoked = new Set<number>();
  readonly leases = new Map<number, Lease>();
  readonly receipts = new Map<string, Settled>();
  readonly acks = new Map<string, Ack>();
  readonly disputed = new Set<string>();
  readonly extensions = new Set<string>();
  /** Microcredits for 1,000 tokens, where the price is known. */
  readonly fairRate: number | undefined;

  constructor(fairRate: number | undefined) {
    this.fairRate = fairRate;
  }

  balances(user: number): Balances {
    const { available, held, escrow } = this.#account(user);
    return { available, held, escrow };
  }

  link({ peer, person }: { peer: number; person: number }): string {
    const old = this.#userOf(peer);
    if (old === person) return "already_linked";
    this.userOf[peer] = person;
    this.revoked.delete(peer);
    const [from, to] = [this.#account(old), this.#account(person)];
    const isLeft = !PEOPLE.includes(old) && !this.userOf.includes(old) && from.partOf === undefined;
    if (isLeft) {
      from.partOf = person;
      if (from.hasStarter && to.hasStarter) {
        const unspent = Math.min(STARTER, from.available + from.held);
        const back = Math.min(unspent, from.available);
        from.debt = unspent - back;
        from.available -= back;
      }
      to.hasStarter ||= from.hasStarter;
      to.available += from.available;
      from.available = 0;
    }
    if (!to.hasStarter) {
      to.hasStarter = true;
      to.available += STARTER;
    }
    return "linked";
  }

  revoke({ peer, person }: { peer: number; person: number }): boolean {
    const user = this.#userOf(peer);
    // Again changes nothing.
    if (this.revoked.has(peer) && this.#account(user).partOf === person) return true;
    if (user !== person) return false;
    this.userOf[peer] = this.accounts.push({ ...newUser(0, true), partOf: person }) - 1;
    this.revoked.add(peer);
    return true;
  }

  hold({ peer, lease, budget }: { peer: number; lease: number; budget: number }) {
    if (this.revoked.has(peer)) return { outcome: "peer_revoked", budget: 0 };
    const user = this.#userOf(peer);
    const payer = this.#account(user);
    const held = Math.min(payer.available, budget);
    if (held <= 0) return { outcome: "credits_exhausted", budget: 0 };
    if (this.leases.has(lease)) return { outcome: "replayed", budget: 0 };
    payer.available -= held;
    payer.held += held;
    this.leases.set(lease, { client: peer, payer: user, budget: held, spent: 0, isOpen: true });
    return { outcome: "held", budget: held };
  }

  extend(asked: { peer: number; lease: number; add: number; key: number }) {
    const lease = this.leases.get(asked.lease);
    if (
      lease === undefined ||
      !lease.isOpen ||
      lease.client !== asked.peer ||
      this.revoked.has(asked.peer) ||
      ![lease.payer, this.#account(lease.payer).partOf].includes(this.#userOf(asked.peer))
    ) {
      return { outcome: "lease_not_found", budget: 0 };
    }
    const key = `${asked.lease}:${asked.key}`;
    const purse = this.#purse(lease.payer);
    const added = this.extensions.has(key) ? 0 : Math.min(purse.available, asked.add);
    if (added > 0) this.extensions.add(key);
    purse.available -= added;
    this.#account(lease.payer).held += added;
    lease.budget += added;
    return { outcome: "extended", budget: lease.budget };
  }

  endLease(id: number): void {
    const lease = this.leases.get(id);
    if (lease?.isOpen !== true) return;
    lease.isOpen = false;
    const payer = this.#account(lease.payer);
    const remaining = lease.budget - lease.spent;
    const back = Math.min(payer.debt, remaining);
    payer.held -= remaining;
    payer.debt -= back;
    this.#purse(lease.payer).available += remaining - back;
  }

  expire(user: number): number {
    const ended = [...this.leases].filter(([, lease]) => lease.payer === user && lease.isOpen);
    for (const [id] of ended) this.endLease(id);
    return ended.length;
  }

  releaseEscrow(user: number): number {
    const due = [...this.receipts.values()].filter((one) => one.inEscrow && one.owner === user);
    for (const one of due) this.#release(one, one.amount);
    return due.length;
  }

  settle(receipts: readonly Receipt[], acks: readonly Ack[], when: When): Result[] {
    if (when === "late") this.#releaseTouched(receipts, acks);
    const results = receipts.map((receipt) => ({ receipt, status: this.#settleReceipt(receipt) }));
    const answers = acks.map((ack) => ({ ack, status: this.#keepAck(ack) }));
    for (const key of [...receipts, ...acks].map(keyOf)) this.#match(key);
    const amountOf = (one: Receipt | Ack) => this.receipts.get(keyOf(one))?.final ?? 0;
    return [
      ...results.map(({ receipt, status }) => ({ status, amount: amountOf(receipt) })),
      ...answers.map(({ ack, status }) => {
        const isDisputed = status === "matched" && this.disputed.has(keyOf(ack));
        return { status: isDisputed ? "disputed" : status, amount: amountOf(ack) };
      }),
    ];
  }

  #settleReceipt(receipt: Receipt): string {
    const lease = this.leases.get(receipt.lease);
    if (lease === undefined) return "lease_unknown";
    if (this.receipts.has(keyOf(receipt))) return "already_settled";
    const owner = this.#userOf(receipt.node);
    const [payer, purse] = [this.#account(lease.payer), this.#purse(lease.payer)];
    const claim = (receipt.engineMs * RATE) / 1_000;
    const isOwn = purse === this.#purse(owner);
    const worth = isOwn ? 0 : Math.min(claim, this.#fairCap(receipt));
    const left = Math.min(worth, lease.budget - lease.spent);
    const amount = lease.isOpen ? left : Math.min(left, purse.available);
    if (lease.isOpen) payer.held -= amount;
    else purse.available -= amount;
    this.#account(owner).escrow += amount;
    lease.spent += amount;
    this.receipts.set(keyOf(receipt), { receipt, owner, amount, final: amount, inEscrow: true });
    return "settled";
  }

  #keepAck(ack: Ack): string {
    const key = keyOf(ack);
    if (this.leases.get(ack.lease)?.client !== ack.client) return "lease_unknown";
    if (this.acks.has(key)) return "already_acked";
    const settled = this.receipts.get(key);
    if (settled !== undefined && !settled.inEscrow) return "too_late";
    this.acks.set(key, ack);
    return settled === undefined ? "kept" : "matched";
  }

  #match(key: string): void {
    const [one, ack] = [this.receipts.get(key), this.acks.get(key)];
    if (one === undefined || ack === undefined || !one.inEscrow) return;
    const { receipt } = one;
    const saysMoreTokens =
      (receipt.completionTokens ?? 0) > (ack.completionTokens ?? Infinity) * 1.05 + 16 ||
      (receipt.promptTokens ?? 0) > (ack.promptTokens ?? Infinity) * 1.05 + 16;
    const told = this.#fairCap({
      promptTokens: smaller(receipt.promptTokens, ack.promptTokens),
      completionTokens: smaller(receipt.completionTokens, ack.completionTokens),
    });
    const hidesTokens =
      receipt.promptTokens === undefined &&
      receipt.completionTokens === undefined &&
      receipt.outcome === "completed" &&
      ack.outcome === "completed" &&
      one.amount > told;
    const contradicts =
      receipt.engineMs > ack.wallMs * 1.02 + 500 ||
      saysMoreTokens ||
      hidesTokens ||
      receipt.requestHash !== ack.requestHash ||
      (receipt.outcome === "completed" &&
        ack.outcome === "completed" &&
        receipt.responseHash !== undefined &&
        ack.responseHash !== undefined &&
        receipt.responseHash !== ack.responseHash);
    if (contradicts) this.disputed.add(key);
    const agreedMs = Math.min(receipt.engineMs, ack.wallMs);
    const cap = saysMoreTokens || hidesTokens ? told : Infinity;
    this.#release(one, Math.min(one.amount, (agreedMs * RATE) / 1_000, cap));
  }

  /** Pays `final` out of escrow, and gives the payer the rest back. */
  #release(one: Settled, final: number): void {
    const back = one.amount - final;
    this.#account(one.owner).escrow -= one.amount;
    this.#purse(one.owner).available += final;
    const lease = this.leases.get(one.receipt.lease);
    if (lease === undefined) throw new Error("a receipt without a lease");
    lease.spent -= back;
    if (lease.isOpen) this.#account(lease.payer).held += back;
    else this.#purse(lease.payer).available += back;
    one.final = final;
    one.inEscrow = false;
  }

  #releaseTouched(receipts: readonly Receipt[], acks: readonly Ack[]): void {
    const known = [...receipts, ...acks].filter(({ lease }) => this.leases.has(lease));
    const owners = new Set(known.map(({ node }) => this.#userOf(node)));
    for (const ack of acks) {
      const settled = this.receipts.get(keyOf(ack));
      if (settled?.inEscrow === true) owners.add(settled.owner);
    }
    for (const owner of owners) this.releaseEscrow(owner);
  }

  #fairCap({ promptTokens, completionTokens }: Tokens): number {
    if (this.fairRate === undefined) return Infinity;
    if (promptTokens === undefined && completionTokens === undefined) return Infinity;
    const tokens = (completionTokens ?? 0) + (promptTokens ?? 0) / 10;
    if (tokens === 0) return 0;
    return Math.max(1, Math.floor((1.5 * this.fairRate * tokens) / 1_000));
  }

  #account(user: number): User {
    const account = this.accounts[user];
    if (account === undefined) throw new Error("no such user");
    return account;
  }

  /** From where a user spends, and to where what it gets is released. */
  #purse(user: number): User {
    return this.#account(this.#account(user).partOf ?? user);
  }

  #userOf(peer: number): number {
    const user = this.userOf[peer];
    if (user === undefined) throw new Error("no such peer");
    return user;
  }
}

type User = {
  available: number;
  held: number;
  escrow: number;
  hasStarter: boolean;
  /** Of a starter grant, what goes back to the mint when leases give it back. */
  debt: number;
  partOf?: number;
};

function newUser(available: number, hasStarter: boolean): User {
  return { available, held: 0, escrow: 0, hasStarter, debt: 0 };
}

function smaller(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

function keyOf({ lease, seq, node }: { lease: number; seq: number; node: number }): string {
  return `${lease}:${seq}:${node}`;
}
