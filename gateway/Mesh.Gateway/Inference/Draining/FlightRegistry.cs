using System.Collections.Concurrent;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Inference.Draining;

/// <summary>
/// Knows which attempts are under way at which endpoint, and acts when the configuration drops one or an operator drains it: an attempt that has not begun to be
/// answered fails over at once, one that has gets the draining time-out of the configuration that had the endpoint. Thread-safe; an
/// attempt costs two short locks and no memory.
/// </summary>
internal sealed class FlightRegistry
{
    private readonly ConcurrentDictionary<EndpointId, EndpointFlights> _endpoints = new();
    private readonly ActiveConfiguration _configuration;

    public FlightRegistry(ActiveConfiguration configuration)
    {
        _configuration = configuration;
        configuration.Replaced += OnReplaced;
    }

    /// <summary>Endpoints with a list, for tests.</summary>
    public int Count => _endpoints.Count;

    /// <summary>An attempt begins. False when its endpoint has been dropped since it was placed: it must go elsewhere.</summary>
    /// <param name="flight">The attempt; in no list.</param>
    /// <param name="pool">Pool that it was placed in.</param>
    /// <param name="endpoint">Endpoint that it was placed at.</param>
    /// <param name="placedUnder">Configuration in force before it was placed.</param>
    public bool TryAdd(Flight flight, PoolId pool, EndpointId endpoint, RoutingState placedUnder)
    {
        while (true)
        {
            var list = _endpoints.TryGetValue(endpoint, out var known) ? known : _endpoints.GetOrAdd(endpoint, static e => new EndpointFlights(e));
            lock (list.Gate)
            {
                if (list.IsRetired) continue;
                flight.PlacedIn = pool;
                flight.Number = flight.Lifetime.Attempt;
                flight.HasBegun = flight.IsDisplaced = false;
                flight.List = list;
                flight.Previous = null;
                flight.Next = list.First;
                if (list.First is { } first) first.Previous = flight;
                list.First = flight;
            }

            // An edit may have gone by between the placement and now; one that comes later finds the attempt in the list.
            var current = _configuration.Current;
            if (ReferenceEquals(current, placedUnder) || current.TakesRequests(pool, endpoint)) return true;
            Remove(flight);
            return false;
        }
    }

    /// <summary>The answer's head is there. False when the attempt was displaced before: the answer is not to be used.</summary>
    public static bool TryBeginAnswer(Flight flight)
    {
        lock (flight.List!.Gate)
        {
            flight.HasBegun = !flight.IsDisplaced;
            return flight.HasBegun;
        }
    }

    /// <summary>The attempt is over; without effect when it is in no list.</summary>
    public static void Remove(Flight flight)
    {
        if (flight.List is not { } list) return;
        lock (list.Gate)
        {
            if (flight.Previous is { } previous) previous.Next = flight.Next;
            else list.First = flight.Next;
            if (flight.Next is { } next) next.Previous = flight.Previous;
            flight.List = null;
            flight.Next = flight.Previous = null;
        }
    }

    private void OnReplaced(RoutingState before, RoutingState after)
    {
        var displaced = new List<(RequestLifetime Lifetime, long Number)>();
        foreach (var (endpoint, list) in _endpoints)
        {
            lock (list.Gate)
            {
                for (var flight = list.First; flight is not null; flight = flight.Next)
                {
                    if (after.TakesRequests(flight.PlacedIn, endpoint)) continue;
                    if (!flight.HasBegun)
                    {
                        flight.IsDisplaced = true;
                        displaced.Add((flight.Lifetime, flight.Number));
                    }
                    else if (before.Pool(flight.PlacedIn)?.Config.DrainingLimit is { } limit)
                    {
                        flight.Lifetime.DrainAfter(limit);
                    }
                }

                if (list.First is null && !after.Endpoints.Contains(endpoint))
                {
                    list.IsRetired = true;
                    _endpoints.TryRemove(endpoint, out _);
                }
            }
        }

        // Outside of the locks, and of the edit: the end of an attempt runs its continuation.
        if (displaced.Count > 0) ThreadPool.UnsafeQueueUserWorkItem(static all => Interrupt(all), displaced, preferLocal: false);
    }

    private static void Interrupt(List<(RequestLifetime Lifetime, long Number)> displaced)
    {
        foreach (var (lifetime, number) in displaced) lifetime.Interrupt(number, EndReason.EndpointRemoved);
    }
}
