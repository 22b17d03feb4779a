using System.Security.Cryptography;
using System.Text;
using Mesh.Simulation.Server.Apis;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.Simulation.Server;

/// <summary>Routes one server's requests. Kestrel calls it directly: no host, no middleware, no container per server.</summary>
internal sealed class VllmApplication : IHttpApplication<IFeatureCollection>
{
    private readonly EngineHost _host;
    private readonly ModelCatalog _models;
    private readonly GenerationHandler _generation;
    private readonly ApiRouter _apis;
    private readonly TokenizeHandler _tokenize;
    private readonly MetricsPage _metrics;
    private readonly InstantResponder? _instant;
    private readonly RequestCounts _counts;
    private readonly byte[] _version;
    private readonly byte[]? _authorization;

    public VllmApplication(SimulatedVllmOptions options, EngineHost host, RequestCounts counts)
    {
        var created = options.TimeProvider.GetUtcNow().ToUnixTimeSeconds();
        _host = host;
        _counts = counts;
        _models = new ModelCatalog(options.Models, options.MaxModelLen, created);
        var ids = new RequestIds();
        _generation = new GenerationHandler(options, _models, host, new AnswerPlanner(options.ToModelOptions()), ids, counts);
        _apis = new ApiRouter(options, _models, host, _generation, ids, counts);
        _tokenize = new TokenizeHandler(options, _models);
        _metrics = new MetricsPage(options, _models, host, counts);
        _instant = options.Instant ? new InstantResponder(_models, options.Models, counts, created) : null;
        _version = Encoding.UTF8.GetBytes($"{{\"version\":\"{options.Version}\"}}");
        _authorization = options.ApiKey is null ? null : Encoding.UTF8.GetBytes($"Bearer {options.ApiKey}");
    }

    public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

    public void DisposeContext(IFeatureCollection context, Exception? exception)
    {
    }

    public async Task ProcessRequestAsync(IFeatureCollection context)
    {
        var request = context.GetRequiredFeature<IHttpRequestFeature>();
        var isChat = request.Path == "/v1/chat/completions";
        if (!isChat && request.Path != "/v1/completions")
        {
            if (_apis.Find(request.Path) is { } api) await CallAsync(new DefaultHttpContext(context), api.Method, api.Handle);
            else await RouteAsync(new DefaultHttpContext(context));
            return;
        }

        _counts.Enter();
        try
        {
            if (_instant is not null && request.Method == "POST" && _authorization is null) await _instant.HandleAsync(context, isChat);
            else await InferAsync(new DefaultHttpContext(context), isChat);
        }
        finally
        {
            _counts.Leave();
        }
    }

    private async Task CallAsync(HttpContext context, string method, Func<HttpContext, Task> handle)
    {
        _counts.Enter();
        try
        {
            var isGuarded = context.Request.Path.StartsWithSegments("/v1") || context.Request.Path.StartsWithSegments("/v2");
            if (isGuarded && !IsAuthorized(context)) await SendUnauthorizedAsync(context);
            else if (context.Request.Method != method) await SendDetailAsync(context, 405, "Method Not Allowed");
            else await handle(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            _counts.Aborted();
        }
        finally
        {
            _counts.Leave();
        }
    }

    private async Task InferAsync(HttpContext context, bool isChat)
    {
        if (!IsAuthorized(context)) await SendUnauthorizedAsync(context);
        else if (context.Request.Method != "POST") await SendDetailAsync(context, 405, "Method Not Allowed");
        else if (_instant is not null) await _instant.HandleAsync(context.Features, isChat);
        else await _generation.HandleAsync(context, isChat);
    }

    private Task RouteAsync(HttpContext context)
    {
        var path = context.Request.Path.Value;
        if (path is not null && path.StartsWith("/v1", StringComparison.Ordinal) && !IsAuthorized(context)) return SendUnauthorizedAsync(context);
        switch (path)
        {
            case "/health" when IsGet(context):
            case "/ping" when IsGet(context) || IsPost(context):
                return HttpAnswers.SendEmptyAsync(context);
            case "/metrics" or "/metrics/" when IsGet(context):
                _counts.MetricsRead();
                return _metrics.SendAsync(context);
            case "/v1/models" when IsGet(context):
                return HttpAnswers.SendAsync(context, 200, HttpAnswers.JsonType, _models.ListJson);
            case "/version" when IsGet(context):
                return HttpAnswers.SendAsync(context, 200, HttpAnswers.JsonType, _version);
            case "/load" when IsGet(context):
                return HttpAnswers.SendAsync(context, 200, HttpAnswers.JsonType, Encoding.UTF8.GetBytes($"{{\"server_load\":{_counts.Open}}}"));
            // As a server in development mode: 200, whether or not requests kept it from being cleared.
            case "/reset_prefix_cache" when IsPost(context):
                _host.ResetPrefixCache();
                return HttpAnswers.SendEmptyAsync(context);
            case "/tokenize" when IsPost(context):
                return _tokenize.TokenizeAsync(context);
            case "/detokenize" when IsPost(context):
                return _tokenize.DetokenizeAsync(context);
            case "/health" or "/ping" or "/metrics" or "/metrics/" or "/v1/models" or "/version" or "/load" or "/tokenize" or "/detokenize" or "/reset_prefix_cache":
                return SendDetailAsync(context, 405, "Method Not Allowed");
            default:
                return SendDetailAsync(context, 404, "Not Found");
        }
    }

    private static bool IsGet(HttpContext context) => context.Request.Method is "GET" or "HEAD";

    private static bool IsPost(HttpContext context) => context.Request.Method == "POST";

    private static Task SendUnauthorizedAsync(HttpContext context) =>
        HttpAnswers.SendAsync(context, 401, HttpAnswers.JsonType, "{\"error\":\"Unauthorized\"}"u8.ToArray());

    private static Task SendDetailAsync(HttpContext context, int status, string detail) =>
        HttpAnswers.SendAsync(context, status, HttpAnswers.JsonType, Encoding.UTF8.GetBytes($"{{\"detail\":\"{detail}\"}}"));

    private bool IsAuthorized(HttpContext context)
    {
        if (_authorization is null) return true;
        var sent = Encoding.UTF8.GetBytes(context.Request.Headers.Authorization.ToString());
        return CryptographicOperations.FixedTimeEquals(sent, _authorization);
    }
}
