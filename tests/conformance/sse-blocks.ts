/**
 * An event stream cut after every blank line, with all its bytes kept: joined, the blocks are the
 * stream again. What follows the last blank line is a block too.
 */
export function sseBlocks(stream: string): string[] {
  return stream.split(/(?<=\r\n\r\n|\n\n|\r\r)/).filter((block) => block !== "");
}

/** Whether the block is only comments, as the pings of a silent stream are. */
export function isComment(block: string): boolean {
  return block.split(/\r\n|\n|\r/).every((line) => line === "" || line.startsWith(":"));
}
