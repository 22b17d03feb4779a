namespace Mesh.Gateway.Errors;

/// <summary>Every error that the gateway answers by itself. What a model server answers passes unchanged and is not listed.</summary>
internal static class GatewayErrors
{
    private const string Invalid = "invalid_request_error";
    private const string Server = "server_error";

    /// <summary>The body is not one JSON object, or the HTTP around it is broken.</summary>
    public static readonly GatewayError InvalidBody = new(400, Invalid, "invalid_body");

    /// <summary>The body names no model.</summary>
    public static readonly GatewayError MissingModel = new(400, Invalid, "missing_model", "model");

    /// <summary>The body's model is not a string.</summary>
    public static readonly GatewayError InvalidModel = new(400, Invalid, "invalid_model", "model");

    /// <summary>A compressed body cannot be read.</summary>
    public static readonly GatewayError UnsupportedEncoding = new(415, Invalid, "unsupported_content_encoding");

    /// <summary>The body is larger than <c>Mesh:MaxBodyBytes</c>.</summary>
    public static readonly GatewayError BodyTooLarge = new(413, Invalid, "body_too_large");

    /// <summary>The body came in below the server's least rate.</summary>
    public static readonly GatewayError BodyTooSlow = new(408, Invalid, "body_too_slow");

    /// <summary>No key where one is asked for.</summary>
    public static readonly GatewayError MissingKey = new(401, Invalid, "missing_api_key");

    /// <summary>A key that nobody has, or not any more.</summary>
    public static readonly GatewayError InvalidKey = new(401, Invalid, "invalid_api_key");

    /// <summary>An address sends wrong keys again and again.</summary>
    public static readonly GatewayError TooManyWrongKeys = new(429, "rate_limit_error", "too_many_wrong_keys");

    /// <summary>The key does not open this path.</summary>
    public static readonly GatewayError RoleMissing = new(403, "permission_error", "role_missing");

    /// <summary>The key may not use the model.</summary>
    public static readonly GatewayError ModelNotAllowed = new(403, "permission_error", "model_not_allowed", "model");

    /// <summary>The key may not use the objective.</summary>
    public static readonly GatewayError ObjectiveNotAllowed = new(403, "permission_error", "objective_not_allowed");

    /// <summary>The key has used its requests of the minute.</summary>
    public static readonly GatewayError RequestRate = new(429, "requests", "rate_limit_exceeded");

    /// <summary>The key has used its tokens of the minute.</summary>
    public static readonly GatewayError TokenRate = new(429, "tokens", "rate_limit_exceeded");

    /// <summary>The key has as many requests under way as it may have.</summary>
    public static readonly GatewayError TooManyOfKey = new(429, "requests", "too_many_concurrent_requests");

    /// <summary>As many requests are under way as <c>Mesh:Limits:ConcurrentRequests</c> allows.</summary>
    public static readonly GatewayError TooManyRequests = new(503, Server, "too_many_requests");

    /// <summary>The bodies of requests under way fill <c>Mesh:Limits:BufferedBodyBytes</c>.</summary>
    public static readonly GatewayError BuffersFull = new(503, Server, "buffers_full");

    /// <summary>The request's host belongs to another listener than the connection's TLS name.</summary>
    public static readonly GatewayError Misdirected = new(421, Invalid, "misdirected_request");

    /// <summary>No such path.</summary>
    public static readonly GatewayError UnknownPath = new(404, Invalid, "unknown_path");

    /// <summary>The path is there, but not for this method.</summary>
    public static readonly GatewayError MethodNotAllowed = new(405, Invalid, "method_not_allowed");

    /// <summary>A page of the gateway does not serve this client.</summary>
    public static readonly GatewayError NotAllowed = new(403, Invalid, "not_allowed");

    /// <summary>A parameter of a page of the gateway has no meaning.</summary>
    public static readonly GatewayError InvalidQuery = new(400, Invalid, "invalid_query");

    /// <summary>No decision is kept of that pool or request.</summary>
    public static readonly GatewayError UnknownDecision = new(404, Invalid, "unknown_decision");

    /// <summary>A request to drain, or to end a drain, that cannot be understood.</summary>
    public static readonly GatewayError InvalidDrain = new(400, Invalid, "invalid_drain");

    /// <summary>The configuration has no endpoint, cluster, region or pool of that name.</summary>
    public static readonly GatewayError UnknownTarget = new(404, Invalid, "unknown_target");

    /// <summary>There is no such drain.</summary>
    public static readonly GatewayError NotDrained = new(404, Invalid, "not_drained");

    /// <summary>The drain would take the last ready endpoint of a pool, and does not say force.</summary>
    public static readonly GatewayError LastEndpoint = new(409, Invalid, "last_endpoint");

    /// <summary>As many drains are in force as may be.</summary>
    public static readonly GatewayError TooManyDrains = new(409, Invalid, "too_many_drains");

    /// <summary>No such pool is configured.</summary>
    public static readonly GatewayError UnknownPool = new(404, Invalid, "unknown_pool");

    /// <summary>As many viewers follow the live state as may.</summary>
    public static readonly GatewayError TooManyViewers = new(503, Server, "too_many_viewers");

    /// <summary>No endpoint keeps the response.</summary>
    public static readonly GatewayError ResponseNotFound = new(404, Invalid, "response_not_found", "response_id");

    /// <summary>Speech over WebSocket is not passed on.</summary>
    public static readonly GatewayError RealtimeUnsupported = new(501, Invalid, "realtime_unsupported");

    /// <summary>The form of an audio API cannot be read.</summary>
    public static readonly GatewayError InvalidForm = new(400, Invalid, "invalid_form");

    /// <summary>No listener or HTTPRoute takes the request.</summary>
    public static readonly GatewayError NoRoute = new(404, Invalid, "no_route");

    /// <summary>The rule that takes the request has no pool that exists: Gateway API asks for 500 here.</summary>
    public static readonly GatewayError RouteWithoutBackend = new(500, Server, "route_without_backend");

    /// <summary>No endpoint of the pool serves the model.</summary>
    public static readonly GatewayError ModelNotFound = new(404, Invalid, "model_not_found", "model");

    /// <summary>The pool has no endpoint at all.</summary>
    public static readonly GatewayError NoEndpoints = new(503, Server, "no_endpoints");

    /// <summary>The pool has endpoints, but none is ready.</summary>
    public static readonly GatewayError NoReadyEndpoint = new(503, Server, "no_ready_endpoint");

    /// <summary>The pool has as many requests under way as the engine holds: a bound of the mesh, not of the client.</summary>
    public static readonly GatewayError TooManyLeases = new(503, Server, "too_many_leases");

    /// <summary>There is no room now; the header says which limit was reached.</summary>
    public static readonly GatewayError Saturated = new(429, "rate_limit_error", "saturated");

    /// <summary>The engine refused for another reason, which the header names.</summary>
    public static readonly GatewayError Refused = new(503, Server, "refused");

    /// <summary>Every endpoint that was tried refused the connection or reset it before it answered.</summary>
    public static readonly GatewayError AllAttemptsFailed = new(502, Server, "all_attempts_failed");

    /// <summary>The endpoint's answer was not HTTP, or ended before its body began.</summary>
    public static readonly GatewayError BrokenAnswer = new(502, Server, "broken_answer");

    /// <summary>The endpoint's answer broke off in the middle.</summary>
    public static readonly GatewayError StreamBroken = new(502, Server, "stream_broken");

    /// <summary>The endpoint's answer had begun and sent nothing for as long as <c>Mesh:IdleTimeout</c>.</summary>
    public static readonly GatewayError AnswerStalled = new(504, "timeout_error", "answer_stalled");

    /// <summary>The time for the whole request ran out.</summary>
    public static readonly GatewayError Timeout = new(504, "timeout_error", "timeout");

    /// <summary>The configuration has dropped the endpoint, and the time that it had to finish is over.</summary>
    public static readonly GatewayError EndpointDraining = new(503, Server, "endpoint_draining");

    /// <summary>The gateway is stopping and the time given to open requests ran out.</summary>
    public static readonly GatewayError ShuttingDown = new(503, Server, "shutting_down");

    /// <summary>A fault of the gateway.</summary>
    public static readonly GatewayError Internal = new(500, Server, "internal_error");
}
