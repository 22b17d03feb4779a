using System.Globalization;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.Tests.Model;

/// <summary>Drives an engine in virtual time and keeps every event as a line of text.</summary>
internal sealed class EngineDriver(VllmModelOptions options) : ISequenceSink
{
    public VllmEngine Engine { get; } = new(options);

    public List<string> Trace { get; } = [];

    public Dictionary<string, (FinishReason Reason, SequenceProgress Progress)> Finished { get; } = [];

    public Dictionary<string, double> FirstTokenMs { get; } = [];

    public double NowMs { get; private set; }

    public bool WantsEveryToken => true;

    public static ulong[] Hashes(int count, ulong seed)
    {
        var hashes = new ulong[count];
        for (var i = 0; i < count; i++) hashes[i] = (seed * 1_000_003) + (ulong)i + 1;
        return hashes;
    }

    public SequenceHandle Add(string name, int prompt, int output, ulong[]? hashes = null, int lora = 0, FinishReason ends = FinishReason.Length) =>
        Engine.Add(new VllmRequest { PromptTokens = prompt, OutputTokens = output, BlockHashes = hashes, LoraId = lora, EndsWith = ends, Tag = name }, NowMs);

    /// <summary>Plans and completes one step.</summary>
    public StepPlan Step()
    {
        var plan = Engine.PlanStep(NowMs);
        if (plan.IsIdle) return plan;
        NowMs += plan.DurationMs;
        Engine.CompleteStep(this);
        return plan;
    }

    /// <summary>Steps until nothing is left; returns the number of steps.</summary>
    public int Run(int most = 100_000)
    {
        for (var steps = 0; steps <= most; steps++)
        {
            if (Step().IsIdle) return steps;
        }

        throw new InvalidOperationException($"Still busy after {most} steps.");
    }

    public void OnFirstToken(in SequenceProgress progress)
    {
        FirstTokenMs[(string)progress.Tag!] = progress.TimeMs;
        Note("first", progress);
    }

    public void OnToken(in SequenceProgress progress) => Note("token", progress);

    public void OnFinished(in SequenceProgress progress, FinishReason reason)
    {
        Finished[(string)progress.Tag!] = (reason, progress);
        Note(reason.ToString(), progress);
    }

    private void Note(string what, in SequenceProgress p) =>
        Trace.Add(string.Create(CultureInfo.InvariantCulture, $"{p.TimeMs:R} {p.Tag} {what} {p.GeneratedTokens} {p.CachedTokens}"));
}
