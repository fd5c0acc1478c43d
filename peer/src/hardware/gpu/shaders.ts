/** WGSL of the GPU path. Values are bytes, four in a word; everything is exact, so every device comes to the same digests. */

/** Rows and columns of C that one workgroup of 16 × 16 makes, four by four each. */
export const TILE = 64;

/** A's rows: each invocation one block of ChaCha8. `run`: first row, and how many. */
export const ROWS = /* wgsl */ `
struct Run { first: u32, count: u32 }
@group(0) @binding(0) var<uniform> run: Run;
@group(0) @binding(1) var<storage, read> key: array<u32, 8>;
@group(0) @binding(2) var<storage, read_write> a: array<u32>;

fn quarter(v: ptr<function, array<u32, 16>>, ai: u32, bi: u32, ci: u32, di: u32) {
  var a = (*v)[ai]; var b = (*v)[bi]; var c = (*v)[ci]; var d = (*v)[di];
  a += b; d ^= a; d = (d << 16u) | (d >> 16u);
  c += d; b ^= c; b = (b << 12u) | (b >> 20u);
  a += b; d ^= a; d = (d << 8u) | (d >> 24u);
  c += d; b ^= c; b = (b << 7u) | (b >> 25u);
  (*v)[ai] = a; (*v)[bi] = b; (*v)[ci] = c; (*v)[di] = d;
}

fn below251(word: u32) -> u32 {
  let bytes = unpack4xU8(word);
  return pack4xU8(select(bytes, bytes - vec4u(251u), bytes >= vec4u(251u)));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x / 16u;
  let block = id.x % 16u;
  if (row >= run.count) { return; }
  var first: array<u32, 16>;
  first[0] = 0x61707865u; first[1] = 0x3320646eu; first[2] = 0x79622d32u; first[3] = 0x6b206574u;
  for (var word = 0u; word < 8u; word++) { first[4u + word] = key[word]; }
  first[12] = block; first[13] = run.first + row;
  var v = first;
  for (var round = 0u; round < 4u; round++) {
    quarter(&v, 0u, 4u, 8u, 12u); quarter(&v, 1u, 5u, 9u, 13u);
    quarter(&v, 2u, 6u, 10u, 14u); quarter(&v, 3u, 7u, 11u, 15u);
    quarter(&v, 0u, 5u, 10u, 15u); quarter(&v, 1u, 6u, 11u, 12u);
    quarter(&v, 2u, 7u, 8u, 13u); quarter(&v, 3u, 4u, 9u, 14u);
  }
  for (var word = 0u; word < 16u; word++) {
    a[row * 256u + block * 16u + word] = below251(v[word] + first[word]);
  }
}`;

/** C = A·B modulo 251. B with four values of a column in each word: `b[k / 4][column]`. */
export const MULTIPLY = /* wgsl */ `
@group(0) @binding(0) var<storage, read> a: array<u32>;
@group(0) @binding(1) var<storage, read> b: array<u32>;
@group(0) @binding(2) var<storage, read_write> c: array<u32>;

const STEP = 16u;
var<workgroup> tileA: array<u32, 1024>;
var<workgroup> tileB: array<u32, 1024>;

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let flat = local.y * 16u + local.x;
  let firstRow = group.y * 64u;
  let firstColumn = group.x * 64u;
  var sums: array<vec4u, 4>;
  for (var k = 0u; k < 256u; k += STEP) {
    for (var part = 0u; part < 4u; part++) {
      let at = part * 256u + flat;
      tileA[at] = a[(firstRow + at / STEP) * 256u + k + at % STEP];
      tileB[at] = b[(k + at / 64u) * 1024u + firstColumn + at % 64u];
    }
    workgroupBarrier();
    for (var step = 0u; step < STEP; step++) {
      let at = step * 64u + local.x * 4u;
      let b0 = tileB[at]; let b1 = tileB[at + 1u]; let b2 = tileB[at + 2u]; let b3 = tileB[at + 3u];
      for (var row = 0u; row < 4u; row++) {
        let value = tileA[(local.y * 4u + row) * STEP + step];
        sums[row] += vec4u(dot4U8Packed(value, b0), dot4U8Packed(value, b1),
          dot4U8Packed(value, b2), dot4U8Packed(value, b3));
      }
    }
    workgroupBarrier();
  }
  for (var row = 0u; row < 4u; row++) {
    let word = (firstRow + local.y * 4u + row) * 256u + firstColumn / 4u + local.x;
    c[word] = pack4xU8(sums[row] % vec4u(251u));
  }
}`;

/** Sums of 64 invocations, two at a time, in the first place of each array. */
const SUM_UP = /* wgsl */ `
var<workgroup> firsts: array<u32, 64>;
var<workgroup> seconds: array<u32, 64>;
fn sumUp(place: u32, first: u32, second: u32) {
  firsts[place] = first; seconds[place] = second;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (place < half) {
      firsts[place] += firsts[place + half]; seconds[place] += seconds[place + half];
    }
  }
}`;

/** As `digestRow` of the protocol: a workgroup for each row. */
export const DIGESTS = /* wgsl */ `
@group(0) @binding(0) var<storage, read> c: array<u32>;
@group(0) @binding(1) var<storage, read_write> digests: array<u32>;
${SUM_UP}
@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) place: u32,
) {
  let row = group.y * groups.x + group.x;
  var plain = 0u;
  var weighted = 0u;
  for (var part = 0u; part < 4u; part++) {
    let at = part * 64u + place;
    var mixed = c[row * 256u + at] + (at + 1u) * 0x9e3779b9u;
    mixed ^= mixed >> 16u; mixed *= 0x7feb352du;
    mixed ^= mixed >> 15u; mixed *= 0x846ca68bu;
    mixed ^= mixed >> 16u;
    plain += mixed;
    weighted += mixed * (2u * at + 1u);
  }
  sumUp(place, plain, weighted);
  if (place == 0u) { digests[2u * row] = firsts[0]; digests[2u * row + 1u] = seconds[0]; }
}`;

/** As `digestPage` of the protocol: a workgroup for each page. */
export const PAGES = /* wgsl */ `
@group(0) @binding(0) var<storage, read> table: array<u32>;
@group(0) @binding(1) var<storage, read> stream: array<u32, 1024>;
@group(0) @binding(2) var<storage, read_write> digests: array<u32>;
${SUM_UP}
fn product(word: u32, by: u32) -> u32 {
  let low = (bitcast<i32>(word << 16u) >> 16u) * (bitcast<i32>(by << 16u) >> 16u);
  let high = (bitcast<i32>(word) >> 16u) * (bitcast<i32>(by) >> 16u);
  return bitcast<u32>(low) + bitcast<u32>(high);
}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) place: u32) {
  // 64 is even, so that an invocation meets words of one parity only.
  var sum = 0u;
  for (var part = 0u; part < 16u; part++) {
    let at = part * 64u + place;
    sum += product(table[group.x * 1024u + at], stream[at]);
  }
  sumUp(place, select(0u, sum, place % 2u == 0u), select(0u, sum, place % 2u == 1u));
  if (place == 0u) { digests[2u * group.x] = firsts[0]; digests[2u * group.x + 1u] = seconds[0]; }
}`;
