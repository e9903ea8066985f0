// Holds a talk through the AI SDK, unmodified: node talk.mjs URL MODEL {whole|streamed} TEXT…
// Prints a JSON line for each turn: {text, parts, finishReason, usage}.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";

const [url, model, how, ...texts] = process.argv.slice(2);
const persona = createOpenAICompatible({ name: "misaki", baseURL: url, includeUsage: true })(model);
const messages = [];
for (const text of texts) {
  messages.push({ role: "user", content: text });
  const parts = [];
  let turn;
  if (how === "streamed") {
    const stream = streamText({ model: persona, messages, maxRetries: 0, onError: ({ error }) => { throw error; } });
    for await (const part of stream.textStream) parts.push(part);
    turn = { text: await stream.text, finishReason: await stream.finishReason, usage: await stream.usage };
  } else {
    turn = await generateText({ model: persona, messages, maxRetries: 0 });
  }
  messages.push({ role: "assistant", content: turn.text });
  console.log(JSON.stringify({ text: turn.text, parts, finishReason: turn.finishReason, usage: turn.usage }));
}
