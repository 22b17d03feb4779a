using Mesh.Grains.Contracts;
using Mesh.Grains.Hosting;
using Mesh.Grains.Placing;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Keeping;

/// <summary>
/// Runs on every silo and keeps the regions' grains running, which keep the rest: nothing that is configured waits for a request to wake it. Also
/// the first to hear that the silo stops: those who wait here are told to ask again elsewhere, and the pools move while this silo still lives.
/// </summary>
internal sealed partial class MeshKeeper(
    SiloMesh mesh, IGrainFactory grains, IClusterMembershipService membership, ILocalSiloDetails silo, ILogger<MeshKeeper> logger) : ILifecycleParticipant<ISiloLifecycle>
{
    // A pool that has not gone by then is begun anew elsewhere, as if the silo had died.
    private static readonly TimeSpan MostForMoving = TimeSpan.FromSeconds(5);
    private readonly CancellationTokenSource _stop = new();
    private Task _keeping = Task.CompletedTask;

    public void Participate(ISiloLifecycle lifecycle) =>
        // The last to start, when grains can be called, and so the first to stop.
        lifecycle.Subscribe(nameof(MeshKeeper), ServiceLifecycleStage.Active + 1, OnStart, OnStop);

    private Task OnStart(CancellationToken cancellationToken)
    {
        if (mesh.Options.KeepsTime) _keeping = Task.Run(() => KeepAsync(_stop.Token), CancellationToken.None);
        return Task.CompletedTask;
    }

    private async Task OnStop(CancellationToken cancellationToken)
    {
        mesh.Leave();
        await _stop.CancelAsync();
        await _keeping;
        // One that must stop at once has no time to hand anything over.
        if (!cancellationToken.IsCancellationRequested) await MovePoolsAsync(cancellationToken);
    }

    private async Task MovePoolsAsync(CancellationToken cancellationToken)
    {
        var others = membership.CurrentSnapshot.Members.Values
            .Where(m => m.Status == SiloStatus.Active && !m.SiloAddress.Equals(silo.SiloAddress)).Select(m => m.SiloAddress).ToArray();
        if (others.Length == 0) return;
        var moving = mesh.Residents.Keys.Select(pool => pool.MoveTo(Rendezvous.Choose(pool.GetGrainId().ToString(), others))).ToArray();
        await Task.WhenAll(moving).WaitAsync(MostForMoving, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        PoolsMoved(logger, moving.Count(m => m.IsCompletedSuccessfully), moving.Length);
    }

    private async Task KeepAsync(CancellationToken cancellationToken)
    {
        var failing = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var calls = mesh.Configuration.Current.Regions.Keys.Select(r => grains.GetGrain<IRegionGrain>(r).Keep().AsTask());
                await Task.WhenAll(calls).WaitAsync(mesh.Options.KeepInterval * 5, cancellationToken);
                failing = false;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                // A silo that has just died takes its regions with it until it is known to be dead.
                if (!failing) KeepingFails(logger, e.Message);
                failing = true;
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(mesh.Options.KeepInterval, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The regions' grains cannot be reached; trying again until they can: {Message}")]
    private static partial void KeepingFails(ILogger logger, string message);

    [LoggerMessage(2, LogLevel.Information, "The silo stops: {Moved} of its {Pools} pools have moved.")]
    private static partial void PoolsMoved(ILogger logger, int moved, int pools);
}
