using Mesh.Core.Randomness;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.Tests.Model;

public class DecodeRunTests
{
    [Theory]
    [InlineData(1, 3000)]
    [InlineData(2, 3000)]
    [InlineData(3, 200)]
    [InlineData(4, 200)]
    public void PlanRun_ArrivalsInBetween_IsTheSameAsStepByStep(ulong seed, int blocks)
    {
        var options = new VllmModelOptions { NumGpuBlocks = blocks, MaxModelLen = 2048, MaxNumSeqs = 16 };
        var steps = Play(options, seed, inRuns: false);
        var runs = Play(options, seed, inRuns: true);
        Assert.Equal(steps.Trace, runs.Trace);
        Assert.Equal(steps.Engine.Metrics.Steps, runs.Engine.Metrics.Steps);
        Assert.Equal(steps.Engine.Metrics.GenerationTokens, runs.Engine.Metrics.GenerationTokens);
        Assert.Equal(steps.Engine.Metrics.InterTokenLatency.Counts.ToArray(), runs.Engine.Metrics.InterTokenLatency.Counts.ToArray());
        Assert.Equal(steps.Engine.Metrics.IterationTokens.Counts.ToArray(), runs.Engine.Metrics.IterationTokens.Counts.ToArray());
        Assert.Equal((steps.Engine.BlocksCached, steps.Engine.BlockEvictions, steps.Engine.Metrics.Preemptions), (runs.Engine.BlocksCached, runs.Engine.BlockEvictions, runs.Engine.Metrics.Preemptions));
        Assert.True(runs.Completions < steps.Completions / 2, $"{runs.Completions} instead of {steps.Completions}");
    }

    [Fact]
    public void CatchUp_InARun_ShowsTheBlocksOfNow()
    {
        var engine = new VllmEngine(new VllmModelOptions());
        engine.Add(new VllmRequest { PromptTokens = 16, OutputTokens = 100 }, 0);
        var sink = new Watcher();
        engine.PlanRun(0);
        engine.CompleteStep(sink);
        engine.PlanRun(engine.NowMs);
        Assert.Equal(2, engine.BlocksInUse);
        var began = engine.NowMs;
        var end = engine.StepEndMs;
        engine.CatchUp(began + (20 * 6.7));
        Assert.Equal(3, engine.BlocksInUse);
        Assert.Equal(end, engine.StepEndMs);
        Assert.True(engine.NowMs > began + (18 * 6.7) && engine.NowMs <= began + (20 * 6.7));
    }

    [Fact]
    public void CompleteStep_RunAndASinkForEveryToken_Throws()
    {
        var engine = new VllmEngine(new VllmModelOptions());
        engine.Add(new VllmRequest { PromptTokens = 16, OutputTokens = 100 }, 0);
        engine.PlanRun(0);
        engine.CompleteStep(new Watcher());
        engine.PlanRun(engine.NowMs);
        Assert.Throws<InvalidOperationException>(() => engine.CompleteStep(new Watcher { WantsEveryToken = true }));
    }

    private static (List<string> Trace, VllmEngine Engine, int Completions) Play(VllmModelOptions options, ulong seed, bool inRuns)
    {
        var random = new Xoshiro256(seed);
        var engine = new VllmEngine(options);
        var sink = new Watcher();
        var arrivalMs = 0.0;
        var completions = 0;
        for (var i = 0; i < 200; i++)
        {
            arrivalMs += random.NextDouble() * 400;
            while (engine.IsStepping && (inRuns ? engine.CurrentStepEndMs : engine.StepEndMs) <= arrivalMs)
            {
                if (inRuns && engine.StepEndMs > arrivalMs) break;
                Complete();
            }

            if (inRuns) engine.CutRun(arrivalMs);
            var prompt = 1 + random.NextInt32(400);
            var hashes = EngineDriver.Hashes(60, (ulong)random.NextInt32(5));
            engine.Add(new VllmRequest { PromptTokens = prompt, OutputTokens = 1 + random.NextInt32(400), BlockHashes = hashes, Tag = $"r{i}" }, arrivalMs);
            if (!engine.IsStepping) Plan(arrivalMs);
        }

        while (engine.IsStepping) Complete();
        return (sink.Trace, engine, completions);

        void Complete()
        {
            completions++;
            engine.CompleteStep(sink);
            Plan(engine.NowMs);
        }

        void Plan(double nowMs)
        {
            if (inRuns) engine.PlanRun(nowMs);
            else engine.PlanStep(nowMs);
        }
    }

    private sealed class Watcher : ISequenceSink
    {
        public List<string> Trace { get; } = [];

        public bool WantsEveryToken { get; init; }

        public void OnFirstToken(in SequenceProgress progress) => Note("first", progress);

        public void OnToken(in SequenceProgress progress) => Note("token", progress);

        public void OnFinished(in SequenceProgress progress, FinishReason reason) => Note("end", progress);

        private void Note(string what, in SequenceProgress p) => Trace.Add(FormattableString.Invariant($"{p.TimeMs:R} {p.Tag} {what} {p.GeneratedTokens} {p.CachedTokens}"));
    }
}
