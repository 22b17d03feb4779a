using System.Globalization;
using System.Text.Json;
using Mesh.Core.StepTimes;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.Tests.Model;

/// <summary>The engine model against the measurement that it rests on. The error figures of the model's page are asserted here.</summary>
public class CalibrationTests
{
    private static readonly SortedDictionary<int, double> Prefill = [];
    private static readonly SortedDictionary<int, SortedDictionary<int, double>> DecodeByContext = [];

    static CalibrationTests()
    {
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Model", "Data", "h100-llama-3.1-8b.json")));
        foreach (var point in file.RootElement.GetProperty("prefill_ms").EnumerateObject()) Prefill.Add(Number(point.Name), point.Value.GetDouble());
        foreach (var point in file.RootElement.GetProperty("decode_ms").EnumerateObject())
        {
            var at = point.Name.Split('x');
            if (!DecodeByContext.TryGetValue(Number(at[1]), out var batches)) DecodeByContext.Add(Number(at[1]), batches = []);
            batches.Add(Number(at[0]), point.Value.GetDouble());
        }
    }

    [Fact]
    public void Engine_EveryMeasuredPrompt_TakesItsTimeInChunks()
    {
        foreach (var (tokens, expectedMs) in Prefill)
        {
            var engine = new VllmEngine(new VllmModelOptions { MaxModelLen = 32_768 });
            engine.Add(new VllmRequest { PromptTokens = tokens, OutputTokens = 1 }, 0);
            var tookMs = 0.0;
            while (engine.PlanStep(tookMs) is { IsIdle: false } plan)
            {
                tookMs += plan.DurationMs;
                engine.CompleteStep(NoSink.Instance);
            }

            Assert.Equal(expectedMs, tookMs, expectedMs * 1e-9);
        }
    }

    [Fact]
    public void Engine_EveryMeasuredBatch_DecodesInItsTime()
    {
        foreach (var (context, batches) in DecodeByContext)
        {
            foreach (var (batch, expectedMs) in batches)
            {
                // All prompts in one step, so that the step after it is the measured one.
                var engine = new VllmEngine(new VllmModelOptions { MaxModelLen = 16_384, NumGpuBlocks = 200_000, MaxNumBatchedTokens = 1 << 22 });
                for (var i = 0; i < batch; i++) engine.Add(new VllmRequest { PromptTokens = context - 1, OutputTokens = 3 }, 0);
                engine.PlanStep(0);
                engine.CompleteStep(NoSink.Instance);
                var plan = engine.PlanStep(engine.NowMs);

                Assert.Equal((0, batch), (plan.PrefillSequences, plan.DecodeSequences));
                Assert.Equal(expectedMs, plan.DurationMs, expectedMs * 1e-9);
            }
        }
    }

    [Fact]
    public void Interpolation_WithoutEachInnerPoint_ErrsByNoMoreThanThePageSays()
    {
        List<double> prefill = [], decode = [];
        foreach (var (tokens, expectedMs) in Prefill.Skip(1).SkipLast(1))
        {
            var table = Table(Prefill.Where(p => p.Key != tokens), [.. DecodeByContext[128].Keys]);
            prefill.Add(Math.Abs(table.PrefillMs(tokens) - expectedMs) / expectedMs);
        }

        foreach (var (context, batches) in DecodeByContext)
        {
            foreach (var (batch, expectedMs) in batches.Skip(1).SkipLast(1))
            {
                var table = Table(Prefill, [.. batches.Keys.Where(b => b != batch)]);
                decode.Add(Math.Abs(table.DecodeMs(batch, context) - expectedMs) / expectedMs);
            }
        }

        AssertErrors(prefill, 0.060, 0.109);
        AssertErrors(decode, 0.010, 0.076);
    }

    private static void AssertErrors(List<double> errors, double mean, double most)
    {
        Assert.InRange(errors.Average(), 0, mean);
        Assert.InRange(errors.Max(), 0, most);
    }

    private static StepTimeTable Table(IEnumerable<KeyValuePair<int, double>> prefill, int[] batches)
    {
        var points = prefill.ToArray();
        return new StepTimeTable(
            "part",
            [.. points.Select(p => (double)p.Key)],
            [.. points.Select(p => p.Value)],
            [.. batches.Select(b => (double)b)],
            [.. DecodeByContext.Keys.Select(c => (double)c)],
            [.. DecodeByContext.Values.SelectMany(row => batches.Select(b => row[b]))]);
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private sealed class NoSink : ISequenceSink
    {
        public static readonly NoSink Instance = new();

        public bool WantsEveryToken => false;

        public void OnFirstToken(in SequenceProgress progress)
        {
        }

        public void OnToken(in SequenceProgress progress)
        {
        }

        public void OnFinished(in SequenceProgress progress, FinishReason reason)
        {
        }
    }
}
