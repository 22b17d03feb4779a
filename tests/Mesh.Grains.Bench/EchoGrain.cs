using Mesh.Grains.Contracts;
using Orleans.Concurrency;

namespace Mesh.Grains.Bench;

/// <summary>What a call of the same message costs when nothing is done with it.</summary>
[Alias("bench.echo")]
internal interface IEchoGrain : IGrainWithStringKey
{
    [Alias("echo")]
    ValueTask<RouteReply> Echo(RouteCall call);
}

[Reentrant]
internal sealed class EchoGrain : Grain, IEchoGrain
{
    private static readonly RouteReply Reply = new()
    {
        Kind = ReplyKind.Send, Epoch = 1, Endpoint = "10.0.0.1:8000", Cluster = "gke-west", Zone = "europe-west3-c", Port = 8000, LeaseEpoch = 1L << 50, LeaseSequence = 1L << 40,
    };

    public ValueTask<RouteReply> Echo(RouteCall call) => new(Reply);
}
