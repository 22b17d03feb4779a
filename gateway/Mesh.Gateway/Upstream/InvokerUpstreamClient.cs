using System.Net;
using Mesh.Engine.Scraping.Orca;
using Mesh.Gateway.Tls;
using Mesh.Gateway.Upstream.Http1;

namespace Mesh.Gateway.Upstream;

/// <summary>HTTP/1.1, and HTTP/2 over TLS, through the framework's own client stack.</summary>
/// <param name="limits">Times to connect, to the head of an answer and between its bytes.</param>
/// <param name="tls">TLS over every connection; null for clear text.</param>
/// <param name="clearHttp2">HTTP/2 in clear text, without asking whether the endpoint speaks it; without meaning with TLS.</param>
internal sealed class InvokerUpstreamClient(UpstreamLimits limits, UpstreamTlsRule? tls = null, bool clearHttp2 = false) : IUpstreamClient
{
    private readonly HttpMessageInvoker _invoker = InvokerFactory.Create(limits.ConnectTimeout, tls);
    private readonly EndpointUris _uris = new(tls is null ? "http" : "https");
    private readonly bool _http2 = tls?.Http2 ?? clearHttp2;

    public async ValueTask<UpstreamResult> SendAsync(UpstreamRequest request, CancellationToken cancellationToken)
    {
        var message = Message(request);
        var result = await SendAsync(message, cancellationToken);
        if (result.Failure != UpstreamFailure.ResetBeforeHead || message.HasFreshConnection || _http2) return result;
        // Of HTTP/2 the stack itself repeats what was surely not begun.
        // An idle connection that the endpoint closed just as it was used: no byte came, and it says nothing about the endpoint.
        return await SendAsync(Message(request), cancellationToken);
    }

    public void Dispose() => _invoker.Dispose();

    private async ValueTask<UpstreamResult> SendAsync(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        var head = WaitLimit.Of(limits.HeadTimeout);
        head?.Arm(cancellationToken);
        try
        {
            return UpstreamResult.Answered(new InvokerUpstreamResponse(await _invoker.SendAsync(message, head?.Token ?? cancellationToken), limits.IdleTimeout));
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // Whatever it was that surfaced first, the caller gave up.
            return UpstreamResult.Failed(UpstreamFailure.Cancelled, null);
        }
        catch (Exception) when (head?.RanOut(cancellationToken) == true)
        {
            return UpstreamResult.Failed(UpstreamFailure.HeadTimeout, $"no head of an answer within {limits.HeadTimeout.TotalSeconds:0} s");
        }
        catch (OperationCanceledException e)
        {
            // Nobody cancelled, so it is the handler's own limit: the time to connect.
            return UpstreamResult.Failed(UpstreamFailure.ConnectFailed, e.InnerException?.Message ?? e.Message);
        }
        catch (HttpRequestException e)
        {
            return UpstreamResult.Failed(Classify(e), Innermost(e));
        }
        catch (IOException e)
        {
            return UpstreamResult.Failed(UpstreamFailure.ResetBeforeHead, Innermost(e));
        }
        finally
        {
            head?.Disarm();
        }
    }

    private UpstreamMessage Message(UpstreamRequest request)
    {
        var message = new UpstreamMessage(HttpMethod.Parse(request.Method), _uris.For(request.Endpoint, request.Target))
        {
            Version = _http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = _http2 && tls is not null ? HttpVersionPolicy.RequestVersionOrLower : HttpVersionPolicy.RequestVersionExact,
            Content = new PooledBodyContent(request.Body),
        };
        var connection = request.Headers.Connection;
        foreach (var (name, values) in request.Headers)
        {
            if (!request.HeadersAreFinal && !HeaderRules.IsForwarded(name, connection)) continue;
            Add(message, name, values);
        }

        message.Headers.TryAddWithoutValidation("X-Request-Id", request.RequestId);
        if (request.AsksForLoad) message.Headers.TryAddWithoutValidation(OrcaHeader.FormatName, "TEXT");
        message.Headers.Host = tls?.Hostname ?? request.Host;
        return message;
    }

    private static void Add(HttpRequestMessage message, string name, Microsoft.Extensions.Primitives.StringValues values)
    {
        if (values.Count == 1)
        {
            if (message.Headers.TryAddWithoutValidation(name, values[0])) return;
            message.Content!.Headers.TryAddWithoutValidation(name, values[0]);
        }
        else if (!message.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
        {
            message.Content!.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }
    }

    private static UpstreamFailure Classify(HttpRequestException e) => e.HttpRequestError switch
    {
        HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError => UpstreamFailure.ConnectFailed,
        HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded => UpstreamFailure.InvalidAnswer,
        _ => UpstreamFailure.ResetBeforeHead,
    };

    private static string Innermost(Exception e)
    {
        // Bounded: exceptions nest a few levels deep.
        for (var depth = 0; depth < 8 && e.InnerException is { } inner; depth++) e = inner;
        return e.Message;
    }
}
