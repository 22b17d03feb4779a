// Errors of keys and rates through npm's `openai`. Usage: node openai-errors.mjs BASE_URL KEY, a key with one request in a minute. Prints one line of JSON.
import OpenAI from 'openai';

const [baseURL, key] = process.argv.slice(2);
const messages = [{ role: 'user', content: 'Which pizza?' }];
const errorOf = async (apiKey, more) => {
  try {
    await new OpenAI({ apiKey, baseURL, maxRetries: 0 }).chat.completions.create({ model: 'm1', messages, ...more });
    return ['none', 0, null];
  } catch (e) {
    return [e.constructor.name, e.status ?? 0, e.code ?? null];
  }
};
const result = { wrongKey: await errorOf('sk-that-nobody-has-0123456789') };
await errorOf(key);
result.rate = await errorOf(key);
result.rateOfStream = await errorOf(key, { stream: true });
console.log(JSON.stringify(result));
