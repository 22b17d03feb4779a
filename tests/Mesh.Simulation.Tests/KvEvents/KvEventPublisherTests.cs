using System.Diagnostics;
using System.Globalization;
using System.Net;
using Mesh.Simulation.KvEvents;

namespace Mesh.Simulation.Tests.KvEvents;

/// <summary>The publisher against a subscriber of libzmq in another process.</summary>
public sealed class KvEventPublisherTests
{
    [PyzmqFact]
    public async Task Publish_LibzmqSubscriber_GetsEveryBatchInOrder()
    {
        await using var publisher = Start(new KvEventOptions { Topic = "kv" });
        using var subscriber = await Subscriber.StartAsync(publisher.Port, 0, 500, topic: "kv");
        await UntilSubscribedAsync(publisher);

        var bytes = Publish(publisher, 500);

        Assert.Equal((500, 500, bytes), await subscriber.ResultAsync());
        Assert.Equal((500L, 0L), (publisher.Published, publisher.Dropped));
    }

    [PyzmqFact]
    public async Task Publish_BatchesAreLostOnPurpose_TheReplayHasThem()
    {
        await using var publisher = Start(new KvEventOptions { ReplayPort = 0, LossRatio = 0.3, Seed = 5 });
        using var subscriber = await Subscriber.StartAsync(publisher.Port, publisher.ReplayPort!.Value, 2000);
        await UntilSubscribedAsync(publisher);

        var bytes = Publish(publisher, 2000);
        // What ends the subscriber's wait must not be lost itself.
        for (var i = 0; i < 20; i++) bytes += Publish(publisher, 1);

        var (live, all, received) = await subscriber.ResultAsync();
        Assert.InRange(live, 1200, 1600);
        Assert.Equal((2020, bytes), (all, received));
        Assert.InRange(publisher.Lost, 500, 720);
    }

    [PyzmqFact]
    public async Task Publish_SubscriberThatDoesNotRead_LosesWhatExceedsTheBound()
    {
        await using var publisher = Start(new KvEventOptions { HighWaterMark = 10 });
        using var subscriber = await Subscriber.StartAsync(publisher.Port, 0, int.MaxValue, pause: true);
        await UntilSubscribedAsync(publisher);

        for (var i = 0; i < 400; i++) publisher.Publish(new byte[256 << 10]);
        await UntilAsync(() => publisher.Published == 400);
        Assert.InRange(publisher.Dropped, 1, 399);
        await subscriber.GoOnAsync();

        var (live, _, _) = await subscriber.ResultAsync();
        Assert.Equal(400, live + publisher.Dropped);
    }

    [Fact]
    public async Task Dispose_PortIsFreeForASuccessor()
    {
        var first = Start(new KvEventOptions());
        await first.DisposeAsync();
        await using var second = Start(new KvEventOptions { Port = first.Port });
        Assert.Equal(first.Port, second.Port);
    }

    private static KvEventPublisher Start(KvEventOptions options) => KvEventPublisher.Start(options, IPAddress.Loopback, TimeProvider.System);

    private static int Publish(KvEventPublisher publisher, int count)
    {
        var bytes = 0;
        for (var i = 0; i < count; i++)
        {
            var payload = new byte[1 + (i % 700)];
            Array.Fill(payload, (byte)i);
            publisher.Publish(payload);
            bytes += payload.Length;
        }
        return bytes;
    }

    private static Task UntilSubscribedAsync(KvEventPublisher publisher) => UntilAsync(() => publisher.Subscriptions > 0);

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (var i = 0; i < 3000 && !holds(); i++) await Task.Delay(10);
        Assert.True(holds());
    }

    private sealed class Subscriber(Process process) : IDisposable
    {
        public static async Task<Subscriber> StartAsync(int port, int replayPort, int batches, bool pause = false, string topic = "")
        {
            var script = Path.Combine(AppContext.BaseDirectory, "KvEvents", "subscriber.py");
            string[] arguments = [script, Text(port), Text(replayPort), Text(batches), pause ? "1" : "0", topic];
            var process = Process.Start(new ProcessStartInfo(PyzmqFactAttribute.Python, arguments)
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            })!;
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            Assert.Equal("ready", await process.StandardOutput.ReadLineAsync(timeout.Token));
            return new Subscriber(process);
        }

        public Task GoOnAsync() => process.StandardInput.WriteLineAsync();

        public async Task<(int Live, int All, int Bytes)> ResultAsync()
        {
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(90));
            var line = await process.StandardOutput.ReadLineAsync(timeout.Token);
            if (line is null) Assert.Fail(await process.StandardError.ReadToEndAsync(timeout.Token));
            var numbers = line.Split(' ').Select(n => int.Parse(n, CultureInfo.InvariantCulture)).ToArray();
            return (numbers[0], numbers[1], numbers[2]);
        }

        public void Dispose()
        {
            if (!process.HasExited) process.Kill();
            process.Dispose();
        }

        private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
    }
}
