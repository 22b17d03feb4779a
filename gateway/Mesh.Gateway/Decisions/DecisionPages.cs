using System.Collections.Immutable;
using System.Globalization;
using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Engine;
using Mesh.Gateway.Errors;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Inference;
using Mesh.Gateway.Keys;

namespace Mesh.Gateway.Decisions;

/// <summary>
/// <c>GET /mesh/v1/decisions?pool=&amp;requestId=&amp;limit=</c> and <c>GET /mesh/v1/decisions/{requestId}</c>: the decisions that were kept, the newest first. Of one request there are
/// as many as it had attempts.
/// </summary>
internal sealed class DecisionPages(bool isGuarded, IMeshEngine engine, ActiveConfiguration configuration, DecisionJson json, ErrorReporter errors)
{
    /// <summary>Path of the list.</summary>
    public const string Path = "/mesh/v1/decisions";

    /// <summary>The same within the administrative API.</summary>
    public const string ApiPath = "/api/v1/decisions";

    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;

    /// <summary>Answers with the decisions that the caller may see: those on models that its key may use.</summary>
    public Task HandleAsync(HttpContext context, Caller? caller = null)
    {
        // Without a listener of its own or keys the page tells this machine alone: it names endpoints and their load.
        if (!isGuarded && !ExplainAccess.IsLoopback(context.Connection.RemoteIpAddress))
        {
            return errors.RefuseAsync(
                context, GatewayErrors.NotAllowed, "Decisions are shown to clients on the gateway's machine, or on the listener of Mesh:AdminAddress.");
        }

        var query = context.Request.Query;
        PoolId? pool = null;
        if (query["pool"] is [{ Length: > 0 } name])
        {
            pool = Find(name);
            if (pool is null) return errors.RefuseAsync(context, GatewayErrors.UnknownDecision, $"There is no pool {name}; pools are {Names()}.");
        }

        var limit = DefaultLimit;
        if (query["limit"] is [{ Length: > 0 } text] && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > MaxLimit))
        {
            return errors.RefuseAsync(context, GatewayErrors.InvalidQuery, $"limit is {text}; it must be a whole number in 1–{MaxLimit}.");
        }

        var path = context.Request.Path.Value!;
        var below = path.StartsWith(ApiPath, StringComparison.Ordinal) ? ApiPath.Length : Path.Length;
        var isOne = path.Length > below + 1;
        var requestId = isOne ? path[(below + 1)..] : query["requestId"] is [{ Length: > 0 } asked] ? asked : null;
        var found = caller is { Models.IsAny: false } ? Allowed(engine.Decisions(pool, requestId, MaxLimit), caller, limit) : engine.Decisions(pool, requestId, limit);
        if (isOne && found.IsEmpty)
        {
            return errors.RefuseAsync(
                context, GatewayErrors.UnknownDecision,
                $"No decision on request {requestId} is kept. Kept are those of requests with the header x-mesh-explain: 1, a sample by Mesh:DecisionLog:SampleRate, and refusals.");
        }

        return AnswerAsync(context, found);
    }

    private static ImmutableArray<ExplainedDecision> Allowed(ImmutableArray<ExplainedDecision> all, Caller caller, int limit) =>
        [.. all.Where(d => d.Model is { } model && caller.Models.Matches(model)).Take(limit)];

    private PoolId? Find(string name)
    {
        foreach (var pool in configuration.Current.Config.Pools)
        {
            if (pool.Id.ToString() == name || pool.Id.Name == name) return pool.Id;
        }

        return null;
    }

    private string Names() => string.Join(", ", configuration.Current.Config.Pools.Select(p => p.Id));

    private Task AnswerAsync(HttpContext context, ImmutableArray<ExplainedDecision> decisions)
    {
        var bytes = json.List(decisions);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = bytes.WrittenCount;
        context.Response.Headers.CacheControl = "no-store";
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(bytes.WrittenMemory).AsTask();
    }
}
