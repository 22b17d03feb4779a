using System.Globalization;
using Mesh.Simulation.Faults;
using Mesh.Simulation.Faults.Pools;
using Mesh.Simulation.Tests.Faults.Mutants;

namespace Mesh.Simulation.Tests.Faults;

/// <summary>Whoever breaks the core in one of these ways is found out: the invariants are worth something.</summary>
public class MutantTests
{
    private const int MostWorlds = 300;

    private static readonly SortedDictionary<string, Func<ICorePool, ICorePool>> Mutants = new(StringComparer.Ordinal)
    {
        [nameof(AnnouncedTwice)] = core => new AnnouncedTwice(core),
        [nameof(AnnouncementsIgnored)] = core => new AnnouncementsIgnored(core),
        [nameof(AnotherLeaseEnds)] = core => new AnotherLeaseEnds(core),
        [nameof(CancelForgotten)] = core => new CancelForgotten(core),
        [nameof(CompletedTwiceCountsTwice)] = core => new CompletedTwiceCountsTwice(core),
        [nameof(EarlierEpochRefused)] = core => new EarlierEpochRefused(core),
        [nameof(FailedProbesIgnored)] = core => new FailedProbesIgnored(core),
        [nameof(FailuresForgiven)] = core => new FailuresForgiven(core),
        [nameof(FirstListKept)] = core => new FirstListKept(core),
        [nameof(ModelOfRequestForgotten)] = core => new ModelOfRequestForgotten(core),
        [nameof(ModelsIgnored)] = core => new ModelsIgnored(core),
        [nameof(PoolsConfused)] = PoolsConfused.Maker(),
        [nameof(RateDoubled)] = core => new RateDoubled(core),
        [nameof(FirstByteForgotten)] = core => new FirstByteForgotten(core),
        [nameof(LeaseNotReturned)] = core => new LeaseNotReturned(core),
        [nameof(LimitDoubled)] = core => new LimitDoubled(core),
        [nameof(LostHeartbeats)] = core => new LostHeartbeats(core),
        [nameof(RemovedEndpointKept)] = core => new RemovedEndpointKept(core),
        [nameof(SilentSessionKept)] = core => new SilentSessionKept(core),
        [nameof(SleepIgnored)] = core => new SleepIgnored(core),
        [nameof(TimeForgotten)] = core => new TimeForgotten(core),
        [nameof(WaiterAnsweredTwice)] = core => new WaiterAnsweredTwice(core),
        [nameof(WaiterForgotten)] = core => new WaiterForgotten(core),
    };

    public static TheoryData<string> Names => [.. Mutants.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Run_BrokenCore_IsFound(string mutant)
    {
        var breaks = Mutants[mutant];
        var result = FaultBatch.Run(1, MostWorlds, (config, time, seed, options) => breaks(CorePool.Create(config, time, seed, options)));

        Assert.True(result.Violation is not null, string.Create(CultureInfo.InvariantCulture, $"{mutant} went unnoticed for {MostWorlds} worlds"));
    }
}
