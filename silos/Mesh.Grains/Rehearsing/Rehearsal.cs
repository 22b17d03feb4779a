using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Grains.Contracts;
using Mesh.Grains.Gateways;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Core.Internal;

namespace Mesh.Grains.Rehearsing;

/// <summary>Requests to a <see cref="RehearsalPool"/>, as a gateway makes them.</summary>
internal sealed class Rehearsal : IDisposable
{
    // Twice the calls after which the runtime compiles a method again, better: the second time is then over, too.
    private const int Requests = 64;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan FlushTime = TimeSpan.FromSeconds(1);
    private readonly IPoolGrain _grain;
    private readonly PoolShards _link;
    private readonly TimeProvider _time;
    private readonly GatewaySession _session;

    public Rehearsal(string process, IGrainFactory grains, TimeProvider time)
    {
        _time = time;
        Pool = RehearsalPool.Id(process);
        _session = new GatewaySession(process, 1);
        _grain = RehearsalPool.Grain(grains, Pool);
        var options = new GrainEngineOptions { GatewayId = process };
        _link = new PoolShards(RehearsalPool.Config(Pool), new LinkServices(options, _session, grains, time, new KeptDecisions(1, time), NullLogger.Instance));
    }

    /// <summary>The pool.</summary>
    public Core.Config.PoolId Pool { get; }

    /// <summary>The pool's grain.</summary>
    public IPoolGrain Grain => _grain;

    /// <summary>Places and completes requests.</summary>
    /// <exception cref="OperationCanceledException">It took too long.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await _grain.Keep().AsTask().WaitAsync(cancellationToken);
        await _grain.Learn(RehearsalPool.News(_time)).AsTask().WaitAsync(cancellationToken);
        while (!_link.Links[0].IsAnnounced)
        {
            _link.Keep();
            await Task.Delay(Pause, cancellationToken);
        }

        for (var i = 0; i < Requests; i++)
        {
            var decision = await _link.RouteAsync(Request(i), cancellationToken);
            if (decision.Kind != RouteKind.Send) continue;
            _link.ReportFirstByte(decision.Lease);
            _link.Complete(decision.Lease, new RequestOutcome(OutcomeKind.Success, 10, 0, 10));
        }
        await _link.FlushAsync(FlushTime);
        await _grain.Snapshot().AsTask().WaitAsync(cancellationToken);
        await _grain.Tick().AsTask().WaitAsync(cancellationToken);
    }

    /// <summary>Ends the pool, before it tells the news to a gateway that is not there any more.</summary>
    /// <exception cref="OperationCanceledException">It took too long.</exception>
    public async Task EndAsync(CancellationToken cancellationToken) =>
        await _grain.AsReference<IGrainManagementExtension>().DeactivateOnIdle().AsTask().WaitAsync(cancellationToken);

    public void Dispose() => _link.Close();

    private RouteRequest Request(int number) => new()
    {
        RequestId = "rehearsal",
        Pool = Pool,
        Session = _session,
        FairnessId = "",
        Model = Pool.Namespace,
        PromptTokens = 10,
        MaxOutputTokens = 10,
        BodyBytes = 100,
        PrefixChain = new ulong[] { (ulong)number, 1, 2, 3 },
    };
}
