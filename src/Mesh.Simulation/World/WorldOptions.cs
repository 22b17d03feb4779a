using Mesh.Core.StepTimes;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.World;

/// <summary>Size and seed of a virtual world.</summary>
internal sealed record WorldOptions
{
    /// <summary>Prompt and answer of one request at most, in tokens.</summary>
    public const int LongestPrompt = 1 << 18;

    /// <summary>Regions, 1–1,000. Requests are spread over them by session; a region's router knows its own endpoints only.</summary>
    public int Regions { get; init; } = 1;

    /// <summary>Endpoints of each region, 1–1,000,000 in all.</summary>
    public int EndpointsPerRegion { get; init; } = 8;

    /// <summary>Every endpoint's engine. Its block size must divide 512. By default one H100 with prompts up to 262,144 tokens.</summary>
    public VllmModelOptions Engine { get; init; } = new() { MaxModelLen = LongestPrompt, StepTimes = H100Llama8B.Table.WithLongPrompts(LongestPrompt) };

    /// <summary>What the endpoints run on, dealt out in turn by weight in every region; empty: <see cref="Engine"/> everywhere. Block sizes are the engine's.</summary>
    public IReadOnlyList<HardwareProfile> Hardware { get; init; } = [];

    /// <summary>Time from gateway to endpoint, and back, one way, in ms, 0–10,000.</summary>
    public double LatencyMs { get; init; } = 0.5;

    /// <summary>Decides everything random.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Engine of an endpoint.</summary>
    /// <param name="endpoint">Number within its region, from 0.</param>
    public VllmModelOptions EngineOf(int endpoint)
    {
        if (Hardware.Count == 0) return Engine;
        var sum = 0;
        foreach (var profile in Hardware) sum += profile.Weight;
        var turn = endpoint % sum;
        foreach (var profile in Hardware)
        {
            if (turn < profile.Weight) return profile.Engine;
            turn -= profile.Weight;
        }

        return Engine;
    }

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public void Validate()
    {
        Engine.Validate();
        foreach (var profile in Hardware)
        {
            profile.Engine.Validate();
            Check(profile.Weight is >= 1 and <= 10_000, profile.Weight, nameof(Hardware), "of weights 1–10,000");
            Check(profile.Engine.BlockSize == Engine.BlockSize, profile.Engine.BlockSize, nameof(Hardware), "of the engine's block size");
        }

        Check(Regions is >= 1 and <= 1000, Regions, nameof(Regions), "1–1,000");
        Check(EndpointsPerRegion >= 1 && (long)EndpointsPerRegion * Regions <= 1_000_000, EndpointsPerRegion, nameof(EndpointsPerRegion), "1–1,000,000 in all");
        Check(LatencyMs is >= 0 and <= 10_000, LatencyMs, nameof(LatencyMs), "0–10,000 ms");
        Check(512 % Engine.BlockSize == 0, Engine.BlockSize, nameof(Engine.BlockSize), "a divisor of 512");
    }

    private static void Check(bool isGood, object value, string name, string range)
    {
        if (!isGood) throw new ArgumentOutOfRangeException(name, value, $"{name} must be {range}.");
    }
}
