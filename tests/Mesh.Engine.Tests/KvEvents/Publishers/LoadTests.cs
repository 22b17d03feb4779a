using System.Diagnostics;
using System.Globalization;
using Mesh.Engine.KvEvents.Subscription;
using Xunit.Abstractions;

namespace Mesh.Engine.Tests.KvEvents.Publishers;

/// <summary>Runs alone: it measures the process.</summary>
[CollectionDefinition(nameof(LoadTests), DisableParallelization = true)]
public sealed class LoadTestsCollection;

/// <summary>
/// A hundred publishers of 500 events a second, into one pool's index. <c>MESH_BENCH=1 dotnet test tests/Mesh.Engine.Tests -c Release --filter LoadTests --logger
/// "console;verbosity=detailed"</c> measures for longer, over several shapes, and holds the figures against the budget.
/// </summary>
[Collection(nameof(LoadTests))]
public class LoadTests(ITestOutputHelper output)
{
    private const int Publishers = 100;
    private const double EventsPerSecond = 500;
    private const double BudgetOfOneCore = 0.30;

    private static readonly bool Bench = Environment.GetEnvironmentVariable("MESH_BENCH") == "1";

    [PyzmqFact]
    public async Task AHundredPublishers_EveryEventArrives_WithinTheProcessorBudget()
    {
        foreach (var eventsPerBatch in Bench ? (int[])[24, 12, 6, 3] : [12])
        {
            var share = await MeasureAsync(eventsPerBatch, Bench ? 10 : 2);
            if (Bench && eventsPerBatch >= 6) Assert.InRange(share, 0, BudgetOfOneCore);
        }
    }

    private async Task<double> MeasureAsync(int eventsPerBatch, double seconds)
    {
        var script = Path.Combine(AppContext.BaseDirectory, "KvEvents", "Publishers", "publishers.py");
        string[] arguments = [script, "--publishers", $"{Publishers}", "--rate", $"{EventsPerSecond}", "--events", $"{eventsPerBatch}", "--seconds", seconds.ToString(CultureInfo.InvariantCulture)];
        using var process = Process.Start(new ProcessStartInfo(PyzmqFactAttribute.Python, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var subscribers = new List<(RunningSubscriber Subscriber, FeedingSink Sink)>();
        var pool = new FeedingSink.Pool(Publishers);
        try
        {
            foreach (var port in (await process.StandardOutput.ReadLineAsync())!.Split(' '))
            {
                var sink = new FeedingSink(pool, subscribers.Count);
                subscribers.Add((new RunningSubscriber(new KvEventSource("127.0.0.1", int.Parse(port, CultureInfo.InvariantCulture)), sink, seed: (ulong)subscribers.Count), sink));
            }
            await Poll.UntilAsync(() => subscribers.TrueForAll(s => s.Subscriber.Status.Counters.Connections == 1), () => "not all connected");
            // The subscriptions are on their way to the publishers' sockets; PUB drops what is sent before they are there.
            await Task.Delay(500);

            var expected = (long)(seconds * EventsPerSecond / eventsPerBatch) * eventsPerBatch;
            using var self = Process.GetCurrentProcess();
            var (cpu, allocated, start) = (self.TotalProcessorTime, GC.GetTotalAllocatedBytes(), TimeProvider.System.GetTimestamp());
            await process.StandardInput.WriteLineAsync();
            var done = await process.StandardOutput.ReadLineAsync();
            var elapsed = TimeProvider.System.GetElapsedTime(start);
            self.Refresh();
            var share = (self.TotalProcessorTime - cpu) / elapsed;
            allocated = GC.GetTotalAllocatedBytes() - allocated;
            await Poll.UntilAsync(() => subscribers.TrueForAll(s => s.Sink.Calls >= expected), () => $"only {subscribers.Min(s => s.Sink.Calls)} of {expected}");

            var events = expected * Publishers;
            Assert.Equal(eventsPerBatch % 3 == 0 ? 0 : Publishers * (eventsPerBatch % 3), pool.Blocks);
            output.WriteLine($"{Publishers} publishers, {events / elapsed.TotalSeconds:F0} events/s in batches of {eventsPerBatch} ({done}): "
                + $"{share:P1} of one core, {share * elapsed.TotalMilliseconds * 1000 / events:F2} µs and {allocated / (double)events:F1} bytes allocated per event");
            Assert.All(subscribers, s => Assert.Equal((expected, 0L, 0L), (s.Sink.Calls, s.Subscriber.Status.Counters.Gaps, s.Subscriber.Status.Counters.Resets)));
            return share;
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
            foreach (var (subscriber, _) in subscribers) await subscriber.DisposeAsync();
        }
    }
}
