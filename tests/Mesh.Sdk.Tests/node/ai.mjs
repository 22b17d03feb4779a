// Calls the mesh through npm's `ai` with its OpenAI-compatible provider. Usage: node ai.mjs BASE_URL MODEL. Prints one line of JSON.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { embedMany, generateText, jsonSchema, streamText, tool } from 'ai';

const [baseURL, name] = process.argv.slice(2);
const provider = createOpenAICompatible({ name: 'mesh', apiKey: 'unused', baseURL, includeUsage: true });
const model = provider(name);
const result = {};

const plain = await generateText({ model, prompt: 'Which pizza?', maxOutputTokens: 7, maxRetries: 0 });
result.plain = plain.usage.outputTokens;

const streamed = streamText({ model, prompt: 'Which pizza?', maxOutputTokens: 9, maxRetries: 0 });
let pieces = 0;
for await (const _ of streamed.textStream) pieces++;
result.pieces = pieces;
result.usage = (await streamed.usage).outputTokens;

const weather = tool({
  description: 'Tells the weather.',
  inputSchema: jsonSchema({ type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }),
});
const called = await generateText({ model, prompt: 'Weather?', tools: { weather }, maxRetries: 0 });
result.tool = called.toolCalls[0].input;

const { embeddings } = await embedMany({ model: provider.embeddingModel(name), values: ['one', 'one'], maxRetries: 0 });
result.embeddings = embeddings.length === 2 && embeddings[0][0] === embeddings[1][0];

const controller = new AbortController();
const aborted = streamText({ model, prompt: 'Everything', maxOutputTokens: 8000, maxRetries: 0, abortSignal: controller.signal, onError() {} });
for await (const _ of aborted.textStream) controller.abort();
result.aborted = controller.signal.aborted;

try {
  await generateText({ model: provider('nope'), prompt: 'hi', maxRetries: 0 });
} catch (e) {
  result.unknownModel = [e.name, e.statusCode];
}
console.log(JSON.stringify(result));
