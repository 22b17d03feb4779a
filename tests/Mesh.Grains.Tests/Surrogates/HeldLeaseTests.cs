using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Grains.Contracts;
using Mesh.Grains.Gateways;
using Mesh.Grains.Surrogates;
using Mesh.Testing;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Mesh.Grains.Tests;

/// <summary>What is announced of a lease, and how it comes over.</summary>
public sealed class HeldLeaseTests
{
    private static readonly HeldLease Held = new(new LeaseId(3, 7), new EndpointId("10.0.0.1:8000"), 900, 40, FirstByteSeen: true)
    {
        OriginRegion = "east",
        Work = new LeaseWork(12.5f, 80.25f),
        Age = TimeSpan.FromMilliseconds(120),
        FirstByteAge = TimeSpan.FromMilliseconds(20),
        IsWhole = true,
        Model = "adapter",
    };

    private readonly Serializer _serializer = new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>();

    [Fact]
    public void Announcement_CarriesAllOfALease() => Assert.Equal(Held, Copied(new Announcement { Held = [Held] }).Held.Single());

    [Fact]
    public void Reply_CarriesWhatTheRequestIsPredictedToCost()
    {
        var decision = RouteDecision.Send(Held.Endpoint, new BackendId("gke", "a", 1), Held.Lease, default) with { Work = Held.Work };

        Assert.Equal(decision, Copied(RouteReply.From(in decision, 5)).ToDecision());
    }

    [Fact]
    public void Lease_OfAGatewayThatTellsLess_IsAStreamWithoutAge()
    {
        // What an older gateway does not write is left at its default.
        var old = new HeldLeaseConverter().ConvertFromSurrogate(new HeldLeaseSurrogate { Lease = Held.Lease, Endpoint = Held.Endpoint, PromptTokens = 900, OutputTokens = 40 });

        Assert.Equal(new HeldLease(Held.Lease, Held.Endpoint, 900, 40, FirstByteSeen: false), old);
    }

    [Fact]
    public void Holding_GrowsOlder_WithTheGatewaysClock()
    {
        var time = new ManualTimeProvider();
        time.Advance(TimeSpan.FromSeconds(10));
        var holding = Holding.From(Held, time);
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(Held with { Age = Held.Age + TimeSpan.FromSeconds(1), FirstByteAge = Held.FirstByteAge + TimeSpan.FromSeconds(1) }, holding.ToHeld(time));
    }

    private T Copied<T>(T value) => _serializer.Deserialize<T>(_serializer.SerializeToArray(value))!;
}
