using Mesh.Grains.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Core.Internal;
using Orleans.Runtime.Placement;

namespace Mesh.Grains.Rehearsing;

/// <summary>
/// Rehearses what a silo does for a pool before anybody waits for it: a pool of its own comes to it from another silo, places requests, leaves, and
/// comes back. The silo has not started until that is over, so whoever waits for it to be ready before he stops the next does not hand pools to
/// one that has yet to compile its code. What fails here is no reason not to start.
/// </summary>
internal sealed partial class SiloRehearsal(
    SiloMesh mesh, IGrainFactory grains, IClusterMembershipService membership, ILocalSiloDetails silo, ILogger<SiloRehearsal> logger) : ILifecycleParticipant<ISiloLifecycle>
{
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    // Once active, and before whatever keeps the grains running here.
    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(nameof(SiloRehearsal), ServiceLifecycleStage.Active, OnStart);

    private async Task OnStart(CancellationToken cancellationToken)
    {
        if (!mesh.Options.KeepsTime) return;
        var began = mesh.Time.GetTimestamp();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(MostTime);
        var here = silo.SiloAddress;
        var other = membership.CurrentSnapshot.Members.Values
            .Where(m => m.Status == SiloStatus.Active && !m.SiloAddress.Equals(here)).Select(m => m.SiloAddress).Order().FirstOrDefault();
        using var rehearsal = new Rehearsal(here.ToParsableString(), grains, mesh.Time);
        try
        {
            RequestContext.Set(IPlacementDirector.PlacementHintKey, here);
            await rehearsal.RunAsync(end.Token);
            if (other is not null)
            {
                await MoveAsync(rehearsal, other, end.Token);
                await MoveAsync(rehearsal, here, end.Token);
                await rehearsal.RunAsync(end.Token);
            }
            await rehearsal.EndAsync(end.Token);
            Rehearsed(logger, mesh.Time.GetElapsedTime(began).TotalMilliseconds);
        }
        catch (Exception e) when (GrainFailure.IsExpected(e))
        {
            NotRehearsed(logger, e.Message);
        }
        finally
        {
            RequestContext.Remove(IPlacementDirector.PlacementHintKey);
        }
    }

    private static async Task MoveAsync(Rehearsal rehearsal, SiloAddress to, CancellationToken cancellationToken)
    {
        RequestContext.Set(IPlacementDirector.PlacementHintKey, to);
        await rehearsal.Grain.AsReference<IGrainManagementExtension>().MigrateOnIdle().AsTask().WaitAsync(cancellationToken);
        var wanted = to.ToParsableString();
        while ((await rehearsal.Grain.Keep().AsTask().WaitAsync(cancellationToken)).Silo != wanted) await Task.Delay(Pause, cancellationToken);
    }

    [LoggerMessage(1, LogLevel.Information, "Rehearsed in {Milliseconds:F0} ms.")]
    private static partial void Rehearsed(ILogger logger, double milliseconds);

    [LoggerMessage(2, LogLevel.Information, "Could not rehearse; the first requests will take longer: {Message}")]
    private static partial void NotRehearsed(ILogger logger, string message);
}
