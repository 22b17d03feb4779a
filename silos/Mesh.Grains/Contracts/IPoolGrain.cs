namespace Mesh.Grains.Contracts;

/// <summary>
/// One pool, by <c>namespace/name</c>: places requests, keeps count of what is in flight, and knows who holds it. Each activation has an epoch
/// of its own, and every call names the epoch that it is meant for: one that is meant for another is not carried out.
/// </summary>
[Alias("mesh.pool")]
internal interface IPoolGrain : IGrainWithStringKey
{
    /// <summary>
    /// Places a request. Asked again under the same number, it gives the same answer and reserves nothing a second time. One that has to wait
    /// is told so from time to time, and is then to be asked again.
    /// </summary>
    [Alias("route"), ResponseTimeout("00:00:05")]
    ValueTask<RouteReply> Route(RouteCall call);

    /// <summary>What became of requests, and requests to place.</summary>
    [Alias("exchange"), ResponseTimeout("00:00:05")]
    ValueTask<ExchangeReply> Exchange(Exchange message);

    /// <summary>What became of requests, in order.</summary>
    [Alias("feedback"), ResponseTimeout("00:00:02")]
    ValueTask<PoolReply> Feedback(FeedbackBatch batch);

    /// <summary>A gateway lives.</summary>
    [Alias("heartbeat"), ResponseTimeout("00:00:02")]
    ValueTask<PoolReply> Heartbeat(SessionCall call);

    /// <summary>A gateway tells what it holds and who waits there.</summary>
    [Alias("announce"), ResponseTimeout("00:00:05")]
    ValueTask<PoolReply> Announce(Announcement announcement);

    /// <summary>What is new of an endpoint.</summary>
    [Alias("learn"), ResponseTimeout("00:00:02")]
    ValueTask<LearnReply> Learn(EndpointNews news);

    /// <summary>Keeps the pool running; tells how it is.</summary>
    [Alias("keep"), ResponseTimeout("00:00:02")]
    ValueTask<PoolStatus> Keep();

    /// <summary>Lets time pass now, for hosts that keep time themselves; when the next call makes sense, null when nothing waits for time.</summary>
    [Alias("tick"), ResponseTimeout("00:00:05")]
    ValueTask<TimeSpan?> Tick();

    /// <summary>State of the pool as <see cref="Mesh.Grains.Snapshots.SnapshotJson"/> writes it.</summary>
    [Alias("snapshot"), ResponseTimeout("00:00:05")]
    ValueTask<byte[]> Snapshot();
}
