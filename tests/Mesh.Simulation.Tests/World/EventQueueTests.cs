using Mesh.Core.Randomness;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Tests.World;

public class EventQueueTests
{
    [Fact]
    public void TryTake_Empty_IsFalse() => Assert.False(new EventQueue().TryTake(out _));

    [Fact]
    public void TryTake_EqualTimes_ComeAsTheyWereAdded()
    {
        var queue = new EventQueue();
        for (var i = 0; i < 1000; i++) queue.Add(i % 3, EventKind.StepEnd, i, 0);
        var last = (TimeMs: -1.0, First: -1);
        for (var i = 0; i < 1000; i++)
        {
            Assert.True(queue.TryTake(out var next));
            Assert.True(next.TimeMs > last.TimeMs || (next.TimeMs == last.TimeMs && next.First > last.First));
            last = (next.TimeMs, next.First);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void TryTake_AddedInBetween_IsAlwaysTheEarliest(ulong seed)
    {
        var random = new Xoshiro256(seed);
        var queue = new EventQueue();
        var expected = new PriorityQueue<int, (double, int)>();
        for (var i = 0; i < 20_000; i++)
        {
            if (random.NextInt32(5) < 3)
            {
                double time = random.NextInt32(500);
                queue.Add(time, EventKind.Delivery, i, -i);
                expected.Enqueue(i, (time, i));
            }
            else if (expected.TryDequeue(out var number, out var key))
            {
                Assert.True(queue.TryTake(out var next), $"seed {seed}");
                Assert.Equal((number, -number, key.Item1), (next.First, next.Second, next.TimeMs));
            }

            Assert.Equal(expected.Count, queue.Count);
        }
    }

    [Fact]
    public void Add_GrownToItsSize_AllocatesNothing()
    {
        var queue = new EventQueue();
        for (var i = 0; i < 1000; i++) queue.Add(i, EventKind.StepEnd, i, 0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++)
        {
            queue.TryTake(out var next);
            queue.Add(next.TimeMs + 500, EventKind.StepEnd, i, 0);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void ReplaceEarliest_Always_IsTakingAndAdding()
    {
        var random = new Xoshiro256(4);
        var (replaced, plain) = (new EventQueue(), new EventQueue());
        for (var i = 0; i < 50; i++)
        {
            replaced.Add(i % 7, EventKind.Scrape, i, 0);
            plain.Add(i % 7, EventKind.Scrape, i, 0);
        }

        for (var i = 0; i < 5000; i++)
        {
            Assert.True(plain.TryTake(out var expected));
            Assert.Equal((expected.TimeMs, expected.First), (replaced.Earliest.TimeMs, replaced.Earliest.First));
            var time = expected.TimeMs + random.NextInt32(3);
            replaced.ReplaceEarliest(time, EventKind.Scrape, 100 + i, 0);
            plain.Add(time, EventKind.Scrape, 100 + i, 0);
        }

        Assert.Equal(50, replaced.Count);
    }

    [Fact]
    public void Add_TimeThatIsNone_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new EventQueue().Add(double.NaN, EventKind.Wake, 0, 0));
}
