using Mesh.Gateway.Tests.Support;
using static Mesh.Gateway.Tests.Faults.FaultClient;

namespace Mesh.Gateway.Tests.Faults;

/// <summary>The gateway stops while requests are open.</summary>
public sealed class ShutdownFaultTests
{
    [Fact]
    public async Task Shutdown_OpenStream_EndsWithAnErrorEvent()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            await x.SendChunkAsync("data: 1\n\n");
            await x.UntilClosedAsync();
        });
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.DrainTimeout = TimeSpan.FromMilliseconds(300));
        using var response = await gateway.PostAsync(Body);
        var stream = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("data: 1", await stream.ReadLineAsync());
        var stopping = gateway.Host.StopAsync();
        Assert.Contains("\"code\":\"shutting_down\"", await stream.ReadToEndAsync(), StringComparison.Ordinal);
        await stopping.WaitAsync(TimeSpan.FromSeconds(5));
        await SettledAsync(gateway);
    }

    [Fact]
    public async Task Shutdown_OpenRequest_IsFinishedWithinTheDrainTime()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = ScriptedBackend.Start(async x =>
        {
            begun.TrySetResult();
            await Task.Delay(400, x.Stop);
            await x.SendAsync(ScriptedBackend.Http(200, "{}"));
        });
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.DrainTimeout = TimeSpan.FromSeconds(10));
        var sending = gateway.PostAsync(Body);
        await begun.Task;
        var stopping = gateway.Host.StopAsync();
        using var response = await sending;
        Assert.Equal("{}", await response.Content.ReadAsStringAsync());
        await stopping.WaitAsync(TimeSpan.FromSeconds(5));
    }
}
