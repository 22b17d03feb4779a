using Mesh.Gateway.Admin;
using Mesh.Gateway.Dashboard;
using Mesh.Gateway.Decisions;
using Mesh.Gateway.Errors;
using Mesh.Gateway.ExternalMetrics;
using Mesh.Gateway.Inference;
using Mesh.Gateway.Keys;
using Mesh.Gateway.Metrics;
using Mesh.Gateway.Models;
using Mesh.Gateway.Tls;

namespace Mesh.Gateway.Hosting;

/// <summary>Where every request enters: by path to the inference path or to a page.</summary>
internal sealed class RequestDispatcher(
    int? adminPort, InferenceHandler inference, ModelListPage models, HealthPages health, MetricsPage metrics, DecisionPages decisions,
    AdminApi admin, DashboardPages dashboard, ExternalMetricPages external, ActiveConfiguration configuration, KeyGate gate, ErrorReporter errors)
{
    public Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value;
        var kind = ApiPaths.Find(path);
        // Only a route can tell where a path leads that it may redirect or rewrite.
        var isRouted = (kind == ApiKind.Unknown || ApiPaths.IsForwarded(kind)) && configuration.Current.EditsUrls && context.Connection.LocalPort != adminPort;
        if (!isRouted && (kind == ApiKind.Unknown || !IsServedHere(kind, context)))
        {
            return errors.RefuseAsync(context, GatewayErrors.UnknownPath, $"Unknown path {path}.");
        }

        if (context.Request.IsHttps && ListenerTls.IsMisdirected(context, configuration.Current.TableFor(context.Connection.LocalPort)))
        {
            return errors.RefuseAsync(context, GatewayErrors.Misdirected, "The request's host is not the one of its connection; use a connection of its own.");
        }

        if (gate.Refuse(context, KeyGate.RoleFor(kind, context.Request.Method), out var caller) is { } refusal) return refusal;
        if (isRouted) return inference.HandleAsync(context, caller);
        if (!ApiPaths.Takes(kind, context.Request.Method))
        {
            context.Response.Headers.Allow = ApiPaths.Allowed(kind);
            return errors.RefuseAsync(context, GatewayErrors.MethodNotAllowed, $"{path} takes {ApiPaths.Allowed(kind)}.");
        }

        return kind switch
        {
            ApiKind.Inference or ApiKind.StoredResponse => inference.HandleAsync(context, caller),
            ApiKind.ModelList => models.HandleAsync(context, caller),
            ApiKind.Model => models.HandleOneAsync(context, caller, errors),
            ApiKind.Realtime => errors.RefuseAsync(
                context, GatewayErrors.RealtimeUnsupported, "Sessions over WebSocket are not passed on here; /v1/audio/transcriptions takes whole recordings."),
            ApiKind.Health => health.HealthAsync(context),
            ApiKind.Ready => health.ReadyAsync(context),
            ApiKind.Decisions => decisions.HandleAsync(context, caller),
            ApiKind.ExternalMetrics => external.HandleAsync(context),
            ApiKind.Admin => admin.HandleAsync(context, caller),
            ApiKind.Dashboard => dashboard.HandleAsync(context),
            _ => metrics.HandleAsync(context),
        };
    }

    // With an administrative address the listeners keep what load balancers ask for, and nothing that tells of the inside.
    private bool IsServedHere(ApiKind kind, HttpContext context)
    {
        if (adminPort is null || kind is ApiKind.Health or ApiKind.Ready) return true;
        return ApiPaths.IsAdministrative(kind) == (context.Connection.LocalPort == adminPort);
    }
}
