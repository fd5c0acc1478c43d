/**
 * Those that are there at the moment, in no order. Not a Set or a Map: where many come and go, theirs are replaced by new
 * tables all the time, and each old one keeps the next one and all that were there with it, until the rare collection of the
 * old. A node kept 5 kB of each request like that.
 */
export type Crowd<One> = {
  readonly size: number;
  /** Where it stands from now on, to `leave` by. */
  enter(one: One): Place<One>;
  /** False: it has left already. */
  leave(place: Place<One>): boolean;
  /** As they are now: they may leave meanwhile. */
  all(): One[];
};

export type Place<One> = { readonly one: One; at: number };

const GONE = -1;

export function createCrowd<One>(): Crowd<One> {
  const places: Place<One>[] = [];

  return {
    get size() {
      return places.length;
    },
    enter(one) {
      const place = { one, at: places.length };
      places.push(place);
      return place;
    },
    leave(place) {
      const { at } = place;
      if (at === GONE) return false;
      place.at = GONE;
      const last = places.pop();
      if (last === undefined || last === place) return true;
      places[at] = last;
      last.at = at;
      return true;
    },
    all: () => places.map(({ one }) => one),
  };
}
