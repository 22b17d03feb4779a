// Calls the mesh through npm's `openai`. Usage: node openai.mjs BASE_URL MODEL. Prints one line of JSON.
import OpenAI from 'openai';

const [baseURL, model] = process.argv.slice(2);
const client = new OpenAI({ apiKey: 'unused', baseURL, maxRetries: 0 });
const messages = [{ role: 'user', content: 'Which pizza?' }];
const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } }];
const result = {};

const plain = await client.chat.completions.create({ model, messages, max_tokens: 7 });
result.plain = plain.usage.completion_tokens;

let pieces = 0, choicesEmpty = 0;
for await (const chunk of await client.chat.completions.create({ model, messages, max_tokens: 9, stream: true })) {
  if (chunk.choices.length === 0) choicesEmpty++;
  else if (chunk.choices[0].delta.content) pieces++;
}
result.pieces = pieces;
result.choicesEmpty = choicesEmpty;

let usage;
for await (const chunk of await client.chat.completions.create({ model, messages, max_tokens: 9, stream: true, stream_options: { include_usage: true } })) usage = chunk.usage ?? usage;
result.usage = usage.completion_tokens;

const called = await client.chat.completions.create({ model, messages, tools });
result.tool = called.choices[0].message.tool_calls[0].function;

const vectors = await client.embeddings.create({ model, input: ['one', 'one'] });
result.embeddings = vectors.data[0].embedding.length > 8 && vectors.data[0].embedding[0] === vectors.data[1].embedding[0];

const first = await client.responses.create({ model, input: 'hi', max_output_tokens: 5 });
const kept = await client.responses.retrieve(first.id);
result.response = kept.output_text === first.output_text && first.output_text.length > 0;
const background = await client.responses.create({ model, input: 'hi', max_output_tokens: 8000, background: true });
result.cancelled = (await client.responses.cancel(background.id)).status;

let events = 0;
for await (const event of await client.responses.create({ model, input: 'hi', max_output_tokens: 5, stream: true })) if (event.type === 'response.output_text.delta') events++;
result.events = events;

const stream = await client.chat.completions.create({ model, messages, max_tokens: 8000, stream: true });
for await (const _ of stream) { stream.controller.abort(); break; }
result.aborted = stream.controller.signal.aborted;

const classOf = async (call) => { try { await call; return 'none'; } catch (e) { return e.constructor.name; } };
result.unknownModel = await classOf(client.chat.completions.create({ model: 'nope', messages }));
result.badRequest = await classOf(client.chat.completions.create({ model, messages, max_tokens: 10000000 }));
result.model = (await client.models.retrieve(model)).id;
console.log(JSON.stringify(result));
