using Mesh.Engine.Monitoring;
using Mesh.Testing;

namespace Mesh.Engine.Tests.Monitoring;

public sealed class WakeableDelayTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Wait_TimePasses_IsNotWoken()
    {
        using var delay = new WakeableDelay(_time);
        var waiting = delay.WaitAsync(TimeSpan.FromSeconds(2), default);
        _time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(waiting.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.1));

        Assert.False(await waiting);
    }

    [Fact]
    public async Task Wake_DuringOrBefore_EndsOnePause()
    {
        using var delay = new WakeableDelay(_time);
        var waiting = delay.WaitAsync(TimeSpan.FromSeconds(2), default);
        delay.Wake();
        Assert.True(await waiting);

        delay.Wake();
        delay.Wake();
        Assert.True(await delay.WaitAsync(TimeSpan.FromSeconds(2), default));
        var next = delay.WaitAsync(TimeSpan.FromSeconds(2), default);
        Assert.False(next.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.False(await next);
    }

    [Fact]
    public async Task Cancel_DuringOrBefore_Throws()
    {
        using var delay = new WakeableDelay(_time);
        using var cancel = new CancellationTokenSource();
        var waiting = delay.WaitAsync(TimeSpan.FromSeconds(2), cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => delay.WaitAsync(TimeSpan.FromSeconds(2), cancel.Token));
    }
}
