using Mesh.Core.Randomness;
using Xunit.Abstractions;

namespace Mesh.Core.Tests.Routing;

/// <summary>What the profile mesh promises of whole streams of requests, in virtual time.</summary>
public sealed class MeshProfileTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    [Theory]
    [InlineData(100, 1)]
    [InlineData(100, 2)]
    [InlineData(4000, 3)]
    [InlineData(4000, 4)]
    [InlineData(30_000, 5)]
    public void Route_BurstOfAThousand_EachOfAHundredEndpointsGetsTen(int promptTokens, ulong seed)
    {
        var world = Burst(promptTokens, seed);

        Assert.All(world.SentTo, sent => Assert.InRange(sent, 9, 11));
    }

    [Fact]
    public void Route_BurstOfLargePrompts_NoEndpointIsIdleWhileRequestsWait()
    {
        var world = Burst(4000, 1);
        world.Run(TimeSpan.TicksPerMinute);

        // Ten prompts one after the other on each, and 1% for the burst itself and the grain of the timers.
        var last = world.FirstTokens.Max(f => f.Ms);
        output.WriteLine($"last of the burst after {last:f0} ms, alone {MeshWorld.PromptMs(4000):f1} ms");
        Assert.InRange(last, 10 * MeshWorld.PromptMs(4000) - 1, 10 * MeshWorld.PromptMs(4000) * 1.01);
    }

    [Fact]
    public void Route_BurstOfMixedPrompts_WorkIsSpreadEvenly()
    {
        var random = new Xoshiro256(7);
        var world = new MeshWorld(Enumerable.Repeat(1.0, 20).ToArray(), Long);
        var work = 0.0;
        for (var i = 0; i < 400; i++)
        {
            var prompt = 200 + random.NextInt32(8000);
            work += MeshWorld.PromptMs(prompt);
            world.Arrive(prompt);
        }
        world.Run(TimeSpan.TicksPerMinute);

        var last = world.FirstTokens.Max(f => f.Ms);
        output.WriteLine($"last after {last:f0} ms, even share {work / 20:f0} ms");
        Assert.True(last <= work / 20 * 1.1, $"last after {last:f0} ms, even share {work / 20:f0} ms");
    }

    [Fact]
    public void Route_EqualEndpointsOneAtATime_TiesSpreadEvenly()
    {
        var world = new MeshWorld([1, 1, 1, 1], TimeSpan.FromMilliseconds(1));
        for (var i = 0; i < 4000; i++)
        {
            world.Arrive(500);
            world.Run(world.Pool.Time.GetTimestamp() + TimeSpan.FromMilliseconds(100).Ticks);
        }

        // Four standard deviations of a fair draw.
        Assert.All(world.SentTo, sent => Assert.InRange(sent, 1000 - 110, 1000 + 110));
    }

    [Fact]
    public void Run_SameSeed_SameTrace()
    {
        var (first, second, other) = (Mixed(300, 5), Mixed(300, 5), Mixed(300, 6));

        Assert.Equal(first.Trace, second.Trace);
        Assert.NotEqual(first.Trace, other.Trace);
        Assert.True(first.Trace.Count == 300);
    }

    [Theory]
    [InlineData(0.7)]
    [InlineData(0.9)]
    public void Run_HalfThePoolAtHalfSpeed_FirstTokensComeNoLaterThanWithTheBestStaticSplit(double load)
    {
        const int Requests = 3000;
        const int Learning = 600;
        double[] slowness = [1, 1, 1, 1, 2, 2, 2, 2];
        var arrivals = Arrivals(Requests, load, capacity: 6, seed: 11);
        var world = new MeshWorld(slowness, TimeSpan.FromSeconds(1));
        foreach (var (at, prompt) in arrivals)
        {
            world.Run(at);
            world.Arrive(prompt);
        }
        world.Run(arrivals[^1].At + TimeSpan.TicksPerMinute);

        var mesh = P90(world.FirstTokens.OrderBy(f => f.ArrivedAt).Skip(Learning).Select(f => f.Ms));
        var best = double.PositiveInfinity;
        for (var share = 0.5; share < 0.99; share += 0.02) best = Math.Min(best, P90(StaticSplit(arrivals, share).Skip(Learning)));
        output.WriteLine($"load {load}: mesh {mesh:f0} ms, best static split {best:f0} ms; fast {world.SentTo[..4].Sum()} slow {world.SentTo[4..].Sum()}");
        Assert.Equal(Requests, world.FirstTokens.Count);
        Assert.True(mesh <= best * 1.1, $"mesh {mesh:f0} ms, best static split {best:f0} ms");
    }

    private static MeshWorld Burst(int promptTokens, ulong seed)
    {
        var world = new MeshWorld(Enumerable.Repeat(1.0, 100).ToArray(), Long, seed);
        for (var i = 0; i < 1000; i++)
        {
            world.Arrive(promptTokens);
            world.Pool.Time.Advance(TimeSpan.FromMicroseconds(1));
        }
        world.Run(TimeSpan.TicksPerMinute, untilNobodyWaits: true);
        Assert.Equal((0, 1000), (world.Waiting, world.SentTo.Sum()));
        return world;
    }

    private static MeshWorld Mixed(int requests, ulong seed)
    {
        var world = new MeshWorld([1, 1, 2, 2], TimeSpan.FromSeconds(1), seed);
        foreach (var (at, prompt) in Arrivals(requests, 1.1, capacity: 3, seed: 3))
        {
            world.Run(at);
            world.Arrive(prompt);
        }
        world.Run(TimeSpan.TicksPerHour);
        return world;
    }

    // A Poisson stream of prompts of 500 to 6,500 tokens that needs so much of what so many endpoints of full speed can do.
    private static (long At, int Prompt)[] Arrivals(int count, double load, double capacity, ulong seed)
    {
        var random = new Xoshiro256(seed);
        var arrivals = new (long At, int Prompt)[count];
        for (var i = 0; i < count; i++) arrivals[i].Prompt = 500 + random.NextInt32(6000);
        var gapMs = arrivals.Average(a => MeshWorld.PromptMs(a.Prompt)) / capacity / load;
        var ms = 0.0;
        for (var i = 0; i < count; i++)
        {
            ms -= gapMs * Math.Log(1 - random.NextDouble());
            arrivals[i].At = (long)(ms * TimeSpan.TicksPerMillisecond);
        }
        return arrivals;
    }

    // So much of the stream to the fast half, evenly; in turn within each half.
    private static IEnumerable<double> StaticSplit((long At, int Prompt)[] arrivals, double fastShare)
    {
        var freeAtMs = new double[8];
        var (share, fast, slow) = (0.0, 0, 0);
        foreach (var (at, prompt) in arrivals)
        {
            share += fastShare;
            var toFast = share >= 1;
            if (toFast) share -= 1;
            var endpoint = toFast ? fast++ % 4 : 4 + slow++ % 4;
            var atMs = TimeSpan.FromTicks(at).TotalMilliseconds;
            freeAtMs[endpoint] = Math.Max(freeAtMs[endpoint], atMs) + MeshWorld.PromptMs(prompt) * (toFast ? 1 : 2);
            yield return freeAtMs[endpoint] - atMs;
        }
    }

    private static double P90(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[(int)(sorted.Length * 0.9)];
    }
}
