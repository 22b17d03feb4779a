using System.Globalization;
using Mesh.Core.Endpoints;
using Mesh.Simulation.Model;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Fleets;

/// <summary>A fleet of several regions as it is simulated. Regions and endpoints are told by their numbers.</summary>
internal sealed record FleetTopology
{
    /// <summary>Names of the regions, 1–1,000.</summary>
    public required IReadOnlyList<string> Regions { get; init; }

    /// <summary>Round-trip times in ms, a row and a column for each region; within a region on the diagonal. 0–10,000, the same both ways.</summary>
    public required IReadOnlyList<IReadOnlyList<double>> RoundTripMs { get; init; }

    /// <summary>All endpoints, 1–1,000,000. All have the same block size, a divisor of 512.</summary>
    public required IReadOnlyList<FleetEndpoint> Endpoints { get; init; }

    /// <summary>Where requests come from, at least one group.</summary>
    public required IReadOnlyList<ClientGroup> Clients { get; init; }

    /// <summary>What all endpoints cost in an hour, in any currency; null where that is not told.</summary>
    public double? CostPerHour { get; init; }

    /// <summary>Regions of equal endpoints, each by itself, with as many clients in each.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public static FleetTopology Equal(WorldOptions options)
    {
        options.Validate();
        double[] row = [.. Enumerable.Repeat(2 * options.LatencyMs, options.Regions)];
        return new FleetTopology
        {
            Regions = [.. Enumerable.Range(0, options.Regions).Select(r => $"region-{r}")],
            RoundTripMs = [.. Enumerable.Repeat(row, options.Regions)],
            Endpoints =
            [
                .. Enumerable.Range(0, options.Regions * options.EndpointsPerRegion)
                    .Select(i => new FleetEndpoint(i / options.EndpointsPerRegion, IdOf(i), options.EngineOf(i % options.EndpointsPerRegion))),
            ],
            Clients = [.. Enumerable.Range(0, options.Regions).Select(r => new ClientGroup(r, 1))],
        };
    }

    /// <summary>Address of an endpoint by its number in the fleet.</summary>
    public static EndpointId IdOf(int number, int port = 8000) =>
        new(string.Create(CultureInfo.InvariantCulture, $"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}:{port}"));

    /// <summary>Checks what the world relies on.</summary>
    /// <exception cref="ArgumentException">A count, time or block size is out of its range.</exception>
    public void Validate()
    {
        if (Regions.Count is < 1 or > 1000) throw new ArgumentException("A fleet has 1–1,000 regions.");
        if (Endpoints.Count is < 1 or > 1_000_000) throw new ArgumentException("A fleet has 1–1,000,000 endpoints.");
        if (RoundTripMs.Count != Regions.Count || RoundTripMs.Any(row => row.Count != Regions.Count || row.Any(ms => !(ms is >= 0 and <= 10_000))))
            throw new ArgumentException("Each pair of regions needs a round-trip time of 0–10,000 ms.");
        if (Clients.Count == 0 || Clients.Any(c => !(c.Share > 0 && double.IsFinite(c.Share)))) throw new ArgumentException("Clients need shares above 0.");
        foreach (var endpoint in Endpoints) endpoint.Engine.Validate();
        var blockSize = Endpoints[0].Engine.BlockSize;
        if (512 % blockSize != 0 || Endpoints.Any(e => e.Engine.BlockSize != blockSize))
            throw new ArgumentException("All engines of a fleet have one block size, a divisor of 512.");
    }
}

/// <summary>One endpoint.</summary>
/// <param name="Region">Number of its region.</param>
/// <param name="Id">Its address.</param>
/// <param name="Engine">Its engine.</param>
internal sealed record FleetEndpoint(int Region, EndpointId Id, VllmModelOptions Engine);

/// <summary>Clients of one region with one objective.</summary>
/// <param name="Region">Number of the region whose gateway they ask.</param>
/// <param name="Share">Their part of the sessions, in relation to the other groups' shares; above 0.</param>
/// <param name="Priority">Priority of their requests.</param>
internal sealed record ClientGroup(int Region, double Share, int Priority = 0);
