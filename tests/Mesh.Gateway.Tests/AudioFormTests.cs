using System.Net;
using System.Text;
using Mesh.Core.Config;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests;

/// <summary>Forms of the audio APIs.</summary>
public sealed class AudioFormTests
{
    [Theory]
    [InlineData("/v1/audio/transcriptions")]
    [InlineData("/v1/audio/translations")]
    public async Task Form_GoesByItsModel_UnchangedToTheByte(string path)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.Client.PostAsync(path, Form("whisper", out var bytes));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("whisper", gateway.Engine.Requests.Single().Model);
        Assert.Equal(Encoding.UTF8.GetString(bytes), backend.Requests.Single().Body);
        Assert.StartsWith("multipart/form-data", backend.Requests.Single().Headers["Content-Type"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Form_ModelIsRewritten_InPlace()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var config = Configs.For(backend.Id);
        var rewrite = new ModelRewriteConfig("whisper", [new ModelTarget("whisper-large-v3", 1)], "test");
        await using var gateway = await TestGateway.StartAsync(config with { Pools = [config.Pools[0] with { ModelRewrites = [rewrite] }] });
        using var response = await gateway.Client.PostAsync("/v1/audio/transcriptions", Form("whisper", out var bytes));
        Assert.Equal("whisper-large-v3", gateway.Engine.Requests.Single().Model);
        Assert.Equal(Encoding.UTF8.GetString(bytes).Replace("\r\nwhisper\r\n", "\r\nwhisper-large-v3\r\n", StringComparison.Ordinal), backend.Requests.Single().Body);
    }

    [Theory]
    [InlineData("application/json", """{"model":"m1"}""", "invalid_form")]
    [InlineData("multipart/form-data; boundary=XX", "--XX--", "missing_model")]
    [InlineData("multipart/form-data; boundary=XX", "--XX\r\n", "invalid_form")]
    public async Task Form_Broken_Is400(string type, string body, string code)
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        using var content = new ByteArrayContent(Encoding.ASCII.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        using var response = await gateway.Client.PostAsync("/v1/audio/transcriptions", content);
        Assert.Equal((HttpStatusCode.BadRequest, code), (response.StatusCode, (await ErrorBody.ReadAsync(response)).Code));
    }

    private static ByteArrayContent Form(string model, out byte[] bytes)
    {
        bytes = Encoding.UTF8.GetBytes(
            $"--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF whisper \r\n-- XX\r\n--XX\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n--XX--\r\n");
        var content = new ByteArrayContent(bytes);
        content.Headers.TryAddWithoutValidation("Content-Type", "multipart/form-data; boundary=XX");
        return content;
    }
}
