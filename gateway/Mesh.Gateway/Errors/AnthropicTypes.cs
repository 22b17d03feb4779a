namespace Mesh.Gateway.Errors;

/// <summary>From a status to Anthropic's <c>error.type</c>.</summary>
internal static class AnthropicTypes
{
    /// <summary>The type that Anthropic's clients know for a status.</summary>
    public static string For(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => "authentication_error",
        StatusCodes.Status403Forbidden => "permission_error",
        StatusCodes.Status404NotFound => "not_found_error",
        StatusCodes.Status413PayloadTooLarge => "request_too_large",
        StatusCodes.Status429TooManyRequests => "rate_limit_error",
        StatusCodes.Status503ServiceUnavailable or 529 => "overloaded_error",
        StatusCodes.Status504GatewayTimeout => "timeout_error",
        >= 500 => "api_error",
        _ => "invalid_request_error",
    };
}
