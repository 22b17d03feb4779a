using Mesh.Gateway.Inference;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Inference;

public sealed class RequestLifetimeTests
{
    private readonly ManualTimeProvider _time = new();

    private RequestLifetime Create(CancellationToken clientGone = default) => new(clientGone, CancellationToken.None, _time);

    [Fact]
    public void Attempt_TimeRunsOut_EndsItAndTheNextIsFresh()
    {
        using var lifetime = Create();
        lifetime.BeginAttempt();
        lifetime.LimitAttempt(TimeSpan.FromSeconds(1));
        var first = lifetime.Token;
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((true, EndReason.AttemptTimeout), (first.IsCancellationRequested, lifetime.Reason));
        lifetime.EndAttempt();
        lifetime.BeginAttempt();
        Assert.Equal((false, EndReason.None, 2L), (lifetime.Token.IsCancellationRequested, lifetime.Reason, lifetime.Attempt));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(EndReason.None, lifetime.Reason);
    }

    [Fact]
    public void Interrupt_OfAnEarlierAttempt_IsWithoutEffect()
    {
        using var lifetime = Create();
        lifetime.BeginAttempt();
        var earlier = lifetime.Attempt;
        lifetime.EndAttempt();
        lifetime.BeginAttempt();
        lifetime.Interrupt(earlier, EndReason.EndpointRemoved);
        Assert.Equal((false, EndReason.None), (lifetime.Token.IsCancellationRequested, lifetime.Reason));
    }

    [Fact]
    public void Interrupt_Twice_FirstReasonCounts()
    {
        using var lifetime = Create();
        lifetime.BeginAttempt();
        lifetime.Interrupt(1, EndReason.EndpointRemoved);
        lifetime.Interrupt(1, EndReason.AttemptTimeout);
        Assert.Equal(EndReason.EndpointRemoved, lifetime.Reason);
    }

    [Fact]
    public void End_AfterAnInterrupt_Wins_AndNoAttemptBeginsAfresh()
    {
        using var client = new CancellationTokenSource();
        using var lifetime = Create(client.Token);
        lifetime.BeginAttempt();
        lifetime.Interrupt(1, EndReason.EndpointRemoved);
        client.Cancel();
        Assert.Equal(EndReason.ClientGone, lifetime.Reason);
        lifetime.EndAttempt();
        lifetime.BeginAttempt();
        Assert.Equal((true, EndReason.ClientGone), (lifetime.Token.IsCancellationRequested, lifetime.Reason));
    }

    [Fact]
    public void Interrupt_AfterTheEnd_ChangesNothing()
    {
        using var lifetime = Create();
        lifetime.SetTimeout(TimeSpan.FromSeconds(5));
        lifetime.BeginAttempt();
        _time.Advance(TimeSpan.FromSeconds(5));
        lifetime.Interrupt(1, EndReason.EndpointRemoved);
        Assert.Equal(EndReason.Timeout, lifetime.Reason);
    }

    [Fact]
    public void Drain_EndsTheAttemptAfterItsTime()
    {
        using var lifetime = Create();
        lifetime.BeginAttempt();
        lifetime.DrainAfter(TimeSpan.FromSeconds(3));
        lifetime.DrainAfter(TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(EndReason.None, lifetime.Reason);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(EndReason.EndpointDraining, lifetime.Reason);
    }
}
