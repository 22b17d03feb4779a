using Mesh.Simulation.Faults.Pools;
using Mesh.Simulation.Faults.Processes;
using Mesh.Simulation.Faults.Script;

namespace Mesh.Simulation.Faults;

/// <summary>Plays one world after another, up to the first broken invariant.</summary>
internal static class FaultBatch
{
    /// <summary>Plays the worlds of consecutive seeds.</summary>
    /// <param name="firstSeed">The first one.</param>
    /// <param name="worlds">How many.</param>
    /// <param name="makeCore">The core, or a broken variant of it.</param>
    /// <param name="progress">Is told how many have been played, now and then; null for nobody.</param>
    /// <param name="cancellationToken">Ends the batch early with an exception.</param>
    public static FaultBatchResult Run(ulong firstSeed, int worlds, CorePoolFactory makeCore, Action<int>? progress = null, CancellationToken cancellationToken = default)
    {
        var result = new FaultBatchResult();
        for (var i = 0; i < worlds; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var seed = firstSeed + (ulong)i;
            var world = new FaultWorld(FaultPlan.Of(seed), makeCore);
            var violation = world.Run();
            result.Add(world);
            if (violation is not null) return result with { FailedSeed = seed, Violation = violation };
            if ((i + 1) % 500 == 0) progress?.Invoke(i + 1);
        }

        return result;
    }

    /// <summary>The command that plays one world again.</summary>
    public static string ReplayCommand(ulong seed) => $"dotnet run -c Release --project src/Mesh.Simulation -- faults --seed {seed} --log";
}

/// <summary>What a batch came to.</summary>
internal sealed record FaultBatchResult
{
    /// <summary>Worlds played.</summary>
    public int Worlds { get; private set; }

    public long Events { get; private set; }

    public long Requests { get; private set; }

    public long Faults { get; private set; }

    /// <summary>Requests by the way that they ended.</summary>
    public SortedDictionary<RequestEnd, long> Ends { get; } = [];

    /// <summary>Seed of the world that broke an invariant; null when none did.</summary>
    public ulong? FailedSeed { get; init; }

    /// <summary>The invariant.</summary>
    public string? Violation { get; init; }

    public void Add(FaultWorld world)
    {
        Worlds++;
        Events += world.Time.Events;
        Requests += world.Requests;
        Faults += world.Plan.Faults.Count;
        foreach (var end in Enum.GetValues<RequestEnd>())
        {
            if (world.Ended(end) > 0) Ends[end] = Ends.GetValueOrDefault(end) + world.Ended(end);
        }
    }
}
