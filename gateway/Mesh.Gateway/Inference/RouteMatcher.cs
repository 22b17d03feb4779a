using Mesh.Core.HttpRouting;
using Mesh.Gateway.Federation.Forwarding;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Inference.Apis;
using Mesh.Gateway.Inference.Filters;
using Mesh.Gateway.Inference.Shaping;

namespace Mesh.Gateway.Inference;

/// <summary>Finds rule and pool of a request in the configuration in force.</summary>
internal sealed class RouteMatcher(InferenceServices services)
{
    /// <summary>Sets state, rule and pool; false when no rule takes the request. A rule without a pool that is there leaves the pool null.</summary>
    public bool Match(InferenceExchange exchange)
    {
        var context = exchange.Context;
        var state = services.Configuration.Current;
        exchange.State = state;
        exchange.Pool = null;
        exchange.BackendRef = null;
        if (exchange.Forwarded is { } forwarded) return MatchForwarded(exchange, forwarded, state);
        exchange.Target = state.TableFor(context.Connection.LocalPort)?.Match(new HttpRequestHead(context.Request, exchange.Facts.Model));
        if (exchange.Target is null) return false;
        if (exchange.Target.Choose(services.Draw.Next()) is { } chosen)
        {
            exchange.BackendRef = chosen;
            exchange.PoolId = chosen.Pool;
            exchange.Pool = state.Pool(chosen.Pool);
        }

        if (exchange.Pool is not null) RequestShaper.Shape(exchange, services.Draw);

        return true;
    }

    /// <summary>A request from a peer has been matched, filtered and rewritten there: all that is left is its pool.</summary>
    private bool MatchForwarded(InferenceExchange exchange, ForwardedRequest forwarded, RoutingState state)
    {
        exchange.Target = RouteTarget.OfPeer;
        exchange.PoolId = forwarded.Pool;
        exchange.Pool = state.Pool(forwarded.Pool);
        if (exchange.Pool is not null) RequestShaper.ShapeForwarded(exchange, forwarded.Session);
        return true;
    }

    /// <summary>
    /// Matches again when the configuration has changed since: the pool of a request on its way may just have been removed. False when
    /// nothing changed or the request leads nowhere now.
    /// </summary>
    public bool MatchAgain(InferenceExchange exchange) =>
        !ReferenceEquals(exchange.State, services.Configuration.Current) && Match(exchange) && exchange.Pool is not null
        && Redirects.For(exchange) is null && MayBeSent(exchange);

    /// <summary>
    /// True when the client's path or the one that the rule makes of it is one of the APIs: a rewrite is no way to the model servers'
    /// other paths, and to their administrative ones least of all.
    /// </summary>
    public static bool MayBeSent(InferenceExchange exchange)
    {
        var path = exchange.Context.Request.Path.Value;
        // A stored response is asked for under its own path alone.
        if (InferenceApis.Find(exchange.Path) is { } sent) return sent.Body != ApiBody.None || path == exchange.Path;
        return InferenceApis.Find(path) is not null && !AdministrativePaths.Contains(exchange.Path);
    }
}
