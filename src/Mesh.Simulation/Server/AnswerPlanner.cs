using Mesh.Simulation.Model;
using Mesh.Simulation.Tokens;

namespace Mesh.Simulation.Server;

/// <summary>Writes the answers of a call beforehand and makes the engine's requests of them. Equal calls at temperature 0 get equal answers. Thread-safe.</summary>
internal sealed class AnswerPlanner(VllmModelOptions model)
{
    private long _calls;

    public (Generation Generation, List<VllmRequest> Requests) Plan(GenerationCall call)
    {
        var generation = new Generation(call.Stream);
        List<VllmRequest> requests = new(call.Prompts.Count * call.N);
        var chain = BlockHasher.Seed(call.Model.LoraId == 0 ? null : call.Model.Name, call.CacheSalt);
        var chance = Chance(call);
        foreach (var prompt in call.Prompts)
        {
            var promptSeed = BlockHasher.Mix(BlockHasher.Whole(prompt.Tokens, chain), chance);
            for (var i = 0; i < call.N; i++)
            {
                var answer = Write(call, prompt, generation, i == 0 ? promptSeed : BlockHasher.Mix(promptSeed, (ulong)i));
                generation.Add(answer);
                requests.Add(new VllmRequest
                {
                    PromptTokens = prompt.Tokens.Length,
                    OutputTokens = answer.Tokens.Length,
                    EndsWith = answer.Ends,
                    BlockHashes = model.EnablePrefixCaching ? BlockHasher.Hash(prompt.Tokens, answer.Tokens, model.BlockSize, chain) : default,
                    LoraId = call.Model.LoraId,
                    MaxTokensParam = call.MaxTokens,
                    AnswersParam = requests.Count == 0 ? call.N : 0,
                });
            }
        }

        return (generation, requests);
    }

    private ulong Chance(GenerationCall call)
    {
        if (call.Seed is { } seed) return (ulong)seed;
        return call.Temperature == 0 ? 0 : (ulong)Interlocked.Increment(ref _calls);
    }

    private Answer Write(GenerationCall call, Prompt prompt, Generation generation, ulong seed)
    {
        var room = model.MaxModelLen - prompt.Tokens.Length;
        var natural = call.MaxTokens == 0;
        var length = natural ? Math.Min(AnswerGenerator.NaturalLength(seed), room) : call.MaxTokens;
        var ends = natural && length < room ? FinishReason.Stop : FinishReason.Length;
        var tokens = new int[length];
        AnswerGenerator.Fill(tokens, seed);
        var visible = int.MaxValue;
        if (call.Stop.Count > 0 && StopScan.Find(tokens, call.Stop, call.IncludeStop) is { } stop)
        {
            tokens = tokens[..stop.Tokens];
            visible = stop.VisibleChars;
            ends = FinishReason.Stop;
        }

        return new Answer(generation, generation.Answers.Count, tokens, ends, visible, call.Echo ? prompt.AsText() : "")
        {
            Prompt = prompt.Tokens,
            Adapter = call.Model.LoraId == 0 ? null : call.Model.Name,
            CacheSalt = call.CacheSalt,
        };
    }
}
