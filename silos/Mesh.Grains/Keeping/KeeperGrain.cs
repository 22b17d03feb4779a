using Mesh.Grains.Hosting;

namespace Mesh.Grains.Keeping;

/// <summary>A grain that goes round to others by its own timer, once it has been woken.</summary>
internal abstract class KeeperGrain(SiloMesh mesh) : Grain
{
    private IGrainTimer? _timer;
    private long _started;
    private bool _under;

    protected SiloMesh Mesh => mesh;

    protected string Silo { get; private set; } = "";

    /// <summary>How long this activation has run.</summary>
    protected TimeSpan Age => mesh.Time.GetElapsedTime(_started);

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        Silo = this.GetLocalSilo().ToParsableString();
        _started = mesh.Time.GetTimestamp();
        if (mesh.Options.KeepsTime)
        {
            _timer = this.RegisterGrainTimer(
                OnTimerAsync, new GrainTimerCreationOptions(TimeSpan.Zero, mesh.Options.KeepInterval) { Interleave = true, KeepAlive = true });
        }
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _timer?.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>One round.</summary>
    protected abstract Task GoRoundAsync();

    private async Task OnTimerAsync(CancellationToken cancellationToken)
    {
        // A round may take longer than the interval while a silo is being found dead.
        if (_under) return;
        _under = true;
        try
        {
            await GoRoundAsync();
        }
        finally
        {
            _under = false;
        }
    }
}
