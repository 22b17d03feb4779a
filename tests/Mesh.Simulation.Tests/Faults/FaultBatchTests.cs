using Mesh.Core.FlowControl;
using Mesh.Simulation.Faults;
using Mesh.Simulation.Faults.Pools;
using Mesh.Simulation.Faults.Processes;
using Mesh.Simulation.Faults.Script;

namespace Mesh.Simulation.Tests.Faults;

public class FaultBatchTests
{
    // The long batch is a command: faults --worlds 10000.
    private const int Worlds = 250;

    [Fact]
    public void Run_RandomWorlds_BreakNoInvariant()
    {
        var result = FaultBatch.Run(1, Worlds, CorePool.Create);

        Assert.True(result.Violation is null, $"{result.Violation}\n{FaultBatch.ReplayCommand(result.FailedSeed ?? 0)}");
        Assert.Equal(Worlds, result.Worlds);
        // A batch in which nothing happens shows nothing.
        Assert.All(Enum.GetValues<RequestEnd>().Where(e => e != RequestEnd.None), end => Assert.True(result.Ends.GetValueOrDefault(end) > 100, $"{end} hardly happens"));
        Assert.Equal(result.Requests, result.Ends.Values.Sum());
    }

    [Fact]
    public void Plans_OfManySeeds_HaveEveryFaultAndEveryPolicy()
    {
        var plans = Enumerable.Range(1, Worlds).Select(seed => FaultPlan.Of((ulong)seed)).ToArray();

        Assert.Equal(Enum.GetValues<FaultKind>().Order(), plans.SelectMany(p => p.Faults).Select(f => f.Kind).Distinct().Order());
        Assert.Equal(3, plans.Select(p => p.FlowControl.WhenFull).Distinct().Count());
        Assert.Equal(3, plans.Select(p => p.Regions).Distinct().Count());
        Assert.Contains(plans, p => p.BindAhead is null);
        Assert.Contains(plans, p => p.MaxInFlight is null);
        Assert.Equal(3, plans.Select(p => p.PoolWeights.Count).Distinct().Count());
        Assert.Contains(plans, p => p.PoolWeights.Contains(0));
        Assert.Equal(4, plans.Select(p => p.Models).Distinct().Count());
        Assert.True(plans.Count(p => p.MaxRate is not null && p.FlowControl.WhenFull != WhenFull.Overfill) > 20);
        Assert.All(plans, p => Assert.Equal(p.Faults.OrderBy(f => f.AtMs), p.Faults));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(11)]
    public void Run_SameSeed_SameEvents(ulong seed)
    {
        Assert.Equal(Log(seed), Log(seed));
        Assert.NotEqual(Log(seed), Log(seed + 1));
    }

    [Fact]
    public void Run_BrokenInvariant_NamesTheSeedAndTheMoment()
    {
        var result = FaultBatch.Run(5, 100, (config, time, seed, options) => new Mutants.LeaseNotReturned(CorePool.Create(config, time, seed, options)));

        Assert.StartsWith("at ", result.Violation);
        Assert.Contains(" ms: ", result.Violation);
        Assert.Equal($"dotnet run -c Release --project src/Mesh.Simulation -- faults --seed {result.FailedSeed} --log", FaultBatch.ReplayCommand(result.FailedSeed!.Value));
    }

    private static string Log(ulong seed)
    {
        var log = new StringWriter();
        Assert.Null(new FaultWorld(FaultPlan.Of(seed), CorePool.Create, log).Run());
        return log.ToString();
    }
}
