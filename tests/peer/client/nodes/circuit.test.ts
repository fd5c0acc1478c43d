import { expect, it } from "vitest";
import { createCircuit } from "#peer/client/nodes/circuit";

function underTest(random = 1) {
  const state = { nowMs: 1_000_000 };
  const circuit = createCircuit({ nowMs: () => state.nowMs, random: () => random });
  /** Fails until a probe finds it, as often as that. */
  const failAndReturn = (times: number) => {
    for (let time = 0; time < times; time++) {
      circuit.failed();
      state.nowMs = circuit.untilMs;
      circuit.takeProbe();
      circuit.probed(true);
      circuit.begun();
    }
  };
  return { state, circuit, failAndReturn };
}

it("opens with a failure, for longer with each one in a row, up to a minute", () => {
  const { state, circuit, failAndReturn } = underTest();
  expect(circuit.isOpen).toBe(false);
  const waits = [1, 1, 1, 1, 1, 1, 1, 1].map(() => {
    circuit.failed();
    expect(circuit.isOpen).toBe(true);
    const waitMs = circuit.untilMs - state.nowMs;
    state.nowMs = circuit.untilMs;
    return waitMs;
  });
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  failAndReturn(1);
  circuit.answered();
  circuit.failed();
  expect(circuit.untilMs - state.nowMs).toBe(1_000);
});

it("waits for different times, so that clients don't come back together", () => {
  const waitOf = (random: number): number => {
    const { state, circuit } = underTest(random);
    circuit.failed();
    return circuit.untilMs - state.nowMs;
  };
  expect([waitOf(0), waitOf(0.5), waitOf(1)]).toEqual([500, 750, 1_000]);
});

it("counts once what fails together", () => {
  const { state, circuit } = underTest();
  for (let times = 0; times < 100; times++) circuit.failed();
  expect(circuit.untilMs - state.nowMs).toBe(1_000);
});

it("is probed once it has waited, by one at a time, and waits longer where nobody is there", () => {
  const { state, circuit } = underTest();
  circuit.failed();
  state.nowMs += 999;
  expect(circuit.takeProbe()).toBe(false);
  state.nowMs += 1;
  expect(circuit.takeProbe()).toBe(true);
  expect(circuit.takeProbe()).toBe(false);
  circuit.probed(false);
  expect(circuit.isOpen).toBe(true);
  expect(circuit.untilMs - state.nowMs).toBe(2_000);
  expect(circuit.takeProbe()).toBe(false);
  state.nowMs += 2_000;
  expect(circuit.takeProbe()).toBe(true);
});

it("after a probe lets one request through at a time, until one is answered", () => {
  const { circuit, failAndReturn } = underTest();
  failAndReturn(1);
  expect(circuit.isOpen).toBe(true);
  circuit.leftOff();
  expect(circuit.isOpen).toBe(false);
  circuit.begun();
  expect(circuit.isOpen).toBe(true);
  circuit.answered();
  circuit.begun();
  circuit.begun();
  expect(circuit.isOpen).toBe(false);
});

it("is not opened again by a probe of an earlier failure", () => {
  const { state, circuit } = underTest();
  circuit.failed();
  state.nowMs += 1_000;
  circuit.takeProbe();
  // A request of last resort was answered meanwhile.
  circuit.answered();
  circuit.probed(false);
  expect(circuit.isOpen).toBe(false);
});

it("may be back within seconds where it answered before it failed, for half a minute and no longer", () => {
  const { state, circuit } = underTest();
  circuit.failed();
  expect(circuit.backInMs).toBeUndefined();
  circuit.answered();
  expect(circuit.backInMs).toBeUndefined();
  const sinceMs = state.nowMs;
  circuit.failed();
  expect(circuit.backInMs).toBe(1_000);
  state.nowMs = circuit.untilMs;
  expect(circuit.backInMs).toBe(0);
  circuit.failed();
  expect(circuit.backInMs).toBe(2_000);
  state.nowMs = circuit.untilMs;
  // It will not be probed for four seconds; a request looks sooner.
  circuit.failed();
  expect(circuit.backInMs).toBe(2_000);
  circuit.takeProbe();
  state.nowMs = sinceMs + 29_999;
  expect(circuit.backInMs).toBe(0);
  state.nowMs = sinceMs + 30_000;
  expect(circuit.backInMs).toBeUndefined();
  circuit.answered();
  circuit.failed();
  expect(circuit.backInMs).toBe(1_000);
});
