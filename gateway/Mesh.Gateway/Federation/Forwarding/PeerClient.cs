using System.Net;
using Mesh.Engine.Federation;
using Mesh.Gateway.Errors;
using Mesh.Gateway.Inference;
using Mesh.Gateway.Upstream;

namespace Mesh.Gateway.Federation.Forwarding;

/// <summary>Sends requests to one peer. Thread-safe.</summary>
internal sealed class PeerClient : IDisposable
{
    private readonly FederationHub _hub;
    private readonly PeerAddress _peer;
    private readonly FederationCredentials _credentials;
    private readonly TimeSpan _idleTimeout;
    private readonly Lock _gate = new();
    private Connection? _current;
    private bool _disposed;

    public PeerClient(FederationHub hub, PeerAddress peer, FederationCredentials credentials, TimeSpan idleTimeout)
    {
        _hub = hub;
        _peer = peer;
        _credentials = credentials;
        _idleTimeout = idleTimeout;
    }

    /// <summary>The peer as it was configured when the client was made.</summary>
    public PeerAddress Peer => _peer;

    public async ValueTask<PeerAnswer> SendAsync(UpstreamRequest request, ForwardedRequest forwarded, CancellationToken cancellationToken)
    {
        if (_hub.UrlOf(_peer.Region) is not { } url) return PeerAnswer.Failed(UpstreamFailure.ConnectFailed, "unknown peer");
        var message = Message(url, request, forwarded);
        try
        {
            var response = await Invoker().SendAsync(message, cancellationToken);
            return new PeerAnswer(new InvokerUpstreamResponse(response, _idleTimeout), UpstreamFailure.None, null)
            {
                Served = Value(response, ControlHeaders.Served),
                Reason = Value(response, ForwardedRequest.PlacedHeader) is null ? Value(response, ErrorWriter.ReasonHeader) ?? "not_a_peer" : null,
            };
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            return PeerAnswer.Failed(UpstreamFailure.Cancelled, null);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // Nobody cancelled, so it is the handler's own limit: the time to connect.
            return PeerAnswer.Failed(UpstreamFailure.ConnectFailed, e.InnerException?.Message ?? e.Message);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            var failure = e is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError }
                ? UpstreamFailure.ConnectFailed : UpstreamFailure.ResetBeforeHead;
            return PeerAnswer.Failed(failure, e.InnerException?.Message ?? e.Message);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _current?.Invoker.Dispose();
            _current = null;
        }
    }

    private HttpMessageInvoker Invoker()
    {
        var reachable = _hub.ReachableToken(_peer.Region);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_current is { } current && current.Reachable == reachable) return current.Invoker;
            // The peer has been away since: idle connections are closed, answers under way keep theirs.
            _current?.Invoker.Dispose();
            _current = new Connection(_credentials.Connect(_peer), reachable);
            return _current.Invoker;
        }
    }

    private HttpRequestMessage Message(Uri url, UpstreamRequest request, ForwardedRequest forwarded)
    {
        var message = new HttpRequestMessage(HttpMethod.Parse(request.Method), new Uri(url, request.Target))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new PooledBodyContent(request.Body),
        };
        var headers = new HeaderDictionary();
        var connection = request.Headers.Connection;
        foreach (var (name, values) in request.Headers)
        {
            if (request.HeadersAreFinal || HeaderRules.IsForwarded(name, connection)) headers[name] = values;
        }

        forwarded.Write(headers);
        foreach (var (name, value) in _hub.Self.Headers()) headers[name] = value;
        headers[RequestIds.Header] = request.RequestId;
        foreach (var (name, values) in headers)
        {
            if (HeaderRules.IsOfConnection(name) && name != RequestIds.Header) continue;
            if (!message.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values)) message.Content.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }

        if (request.Host is { } host) message.Headers.Host = host;
        return message;
    }

    private static string? Value(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;

    private sealed record Connection(HttpMessageInvoker Invoker, CancellationToken Reachable);
}
