// Runs in a page, whose address says where the API is and which model to ask: ?base=URL&model=ID
import OpenAI from "openai";

const asked = new URL(location.href).searchParams;
const model = asked.get("model") ?? "";
const client = new OpenAI({
  baseURL: `${asked.get("base")}/v1`,
  apiKey: "any",
  dangerouslyAllowBrowser: true,
  maxRetries: 0,
});

async function answers(): Promise<string> {
  const { data } = await client.models.list();
  if (!data.some(({ id }) => id === model)) throw new Error(`${model} is not listed.`);
  const question = { model, messages: [{ role: "user" as const, content: "hi" }] };
  const whole = await client.chat.completions.create(question);
  const stream = await client.chat.completions.create({ ...question, stream: true });
  let streamed = "";
  for await (const chunk of stream) streamed += chunk.choices[0]?.delta.content ?? "";
  if (streamed === "") throw new Error("The stream said nothing.");
  return `${whole.choices[0]?.message.content}\n${streamed}`;
}

function tell(path: string, text: string): Promise<unknown> {
  return fetch(path, { method: "POST", body: text });
}

answers()
  .then((said) => tell("/said", said))
  .catch((error: unknown) => tell("/failed", String(error)));
