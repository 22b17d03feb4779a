using Mesh.Gateway.Decisions;
using Mesh.Gateway.Errors;
using Mesh.Gateway.Inference;
using Mesh.Gateway.Metrics;
using Mesh.Gateway.Models;

namespace Mesh.Gateway.Hosting;

/// <summary>Where every request enters: by path to the inference path or to a page.</summary>
internal sealed class RequestDispatcher(
    int? adminPort, InferenceHandler inference, ModelListPage models, HealthPages health, MetricsPage metrics, DecisionPages decisions,
    ActiveConfiguration configuration, ErrorReporter errors)
{
    public Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value;
        var kind = ApiPaths.Find(path);
        // Only a route can tell where a path leads that it may redirect or rewrite.
        if ((kind == ApiKind.Unknown || ApiPaths.IsForwarded(kind)) && configuration.Current.EditsUrls && context.Connection.LocalPort != adminPort)
        {
            return inference.HandleAsync(context);
        }

        if (kind == ApiKind.Unknown || !IsServedHere(kind, context))
        {
            return errors.RefuseAsync(context, GatewayErrors.UnknownPath, $"Unknown path {path}.");
        }

        if (!ApiPaths.Takes(kind, context.Request.Method))
        {
            context.Response.Headers.Allow = ApiPaths.Allowed(kind);
            return errors.RefuseAsync(context, GatewayErrors.MethodNotAllowed, $"{path} takes {ApiPaths.Allowed(kind)}.");
        }

        return kind switch
        {
            ApiKind.Inference or ApiKind.StoredResponse => inference.HandleAsync(context),
            ApiKind.ModelList => models.HandleAsync(context),
            ApiKind.Model => models.HandleOneAsync(context, errors),
            ApiKind.Realtime => errors.RefuseAsync(
                context, GatewayErrors.RealtimeUnsupported, "Sessions over WebSocket are not passed on here; /v1/audio/transcriptions takes whole recordings."),
            ApiKind.Health => health.HealthAsync(context),
            ApiKind.Ready => health.ReadyAsync(context),
            ApiKind.Decisions => decisions.HandleAsync(context),
            _ => metrics.HandleAsync(context),
        };
    }

    // With an administrative address the listeners keep what load balancers ask for, and nothing that tells of the inside.
    private bool IsServedHere(ApiKind kind, HttpContext context)
    {
        if (adminPort is null || kind is ApiKind.Health or ApiKind.Ready) return true;
        return (kind is ApiKind.Metrics or ApiKind.Decisions) == (context.Connection.LocalPort == adminPort);
    }
}
