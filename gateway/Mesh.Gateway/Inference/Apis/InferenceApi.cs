namespace Mesh.Gateway.Inference.Apis;

/// <summary>One API of the model servers that the gateway passes on, and what the gateway must know to do so.</summary>
internal sealed record InferenceApi
{
    /// <summary>Where its body carries what routing needs.</summary>
    public ApiBody Body { get; init; } = ApiBody.Json;

    /// <summary>How its clients expect errors.</summary>
    public ApiDialect Dialect { get; init; } = ApiDialect.OpenAi;

    /// <summary>What a request costs a model server.</summary>
    public ApiWork Work { get; init; } = ApiWork.Generation;

    /// <summary>True when its streams give their usage only where <c>stream_options.include_usage</c> asks for it.</summary>
    public bool HasUsageOption { get; init; }

    /// <summary>True when the model server keeps what it made under an id, so that later requests must find the same server.</summary>
    public bool MakesResponses { get; init; }

    /// <summary>The one method that it takes.</summary>
    public string Method { get; init; } = HttpMethods.Post;
}

/// <summary>Where a body carries model and prompt.</summary>
internal enum ApiBody
{
    /// <summary>A JSON object.</summary>
    Json,

    /// <summary>The fields of <c>multipart/form-data</c>.</summary>
    Multipart,

    /// <summary>There is none: the path names what is wanted.</summary>
    None,
}

/// <summary>A family of clients, by how they read errors.</summary>
internal enum ApiDialect
{
    /// <summary>OpenAI's error object; in a stream as <c>data:</c>.</summary>
    OpenAi,

    /// <summary>OpenAI's error object; in a stream as <c>event: error</c> of the Responses API.</summary>
    Responses,

    /// <summary>Anthropic's error object; in a stream as <c>event: error</c>.</summary>
    Anthropic,
}

/// <summary>What a model server does for a request.</summary>
internal enum ApiWork
{
    /// <summary>Computes the prompt and generates tokens.</summary>
    Generation,

    /// <summary>Computes the prompt once; generates nothing.</summary>
    Pooling,

    /// <summary>Only counts or looks up; the accelerator is not asked.</summary>
    None,
}
