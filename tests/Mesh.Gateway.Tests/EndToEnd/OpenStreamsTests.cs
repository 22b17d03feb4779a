using System.Net;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Tests.Support;
using Mesh.Testing.Net;
using Mesh.Testing.Streams;

namespace Mesh.Gateway.Tests.EndToEnd;

/// <summary>Many streams at once; the large variant is a program of the benches.</summary>
[Collection(AloneCollection.Name)]
public sealed class OpenStreamsTests
{
    [Fact]
    public async Task Streams500_AtAPace_NoneIsLostOrMixedUp()
    {
        const int Streams = 500;
        const int Events = 20;
        using var backend = new PacedBackend([FreePorts.NextAddress(), FreePorts.NextAddress()], Events, TimeSpan.FromMilliseconds(200));
        await using var gateway = await TestGateway.StartAsync(Configs.For([.. backend.Addresses.Select(a => new EndpointId(a.ToString()))]));
        using var clients = new StreamClients(IPEndPoint.Parse(gateway.Uri.Authority), Events, "m1");
        await clients.OpenAsync(Streams, TimeSpan.FromSeconds(1));
        await Eventually.TrueAsync(() => clients.Complete + clients.Failed == Streams, "every stream ends", 120_000);
        Assert.True(clients.Failed == 0, clients.FirstFailure);
        Assert.Equal(Streams * Events, clients.Received);
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0, "all leases come back");
        Assert.Equal(0, gateway.Engine.StrayCompletions);
    }
}
